import { useEffect, useRef } from "preact/hooks";

/** The dialog that asked, or the form, is gone by then. */
const GONE_MS = 100;

/** Says what was just done; and takes the focus, where what had it went away with that. */
export function DoneNotice({ text }: { readonly text: string | undefined }) {
  const notice = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (text === undefined) return undefined;
    const timer = setTimeout(() => {
      if (document.activeElement === document.body) notice.current?.focus();
    }, GONE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <div ref={notice} class="done" role="status" tabIndex={-1}>
      {text !== undefined && <p class="notice good">{text}</p>}
    </div>
  );
}
