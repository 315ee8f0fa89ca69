import { useEffect, useState } from "preact/hooks";
import { Icon } from "./icon.tsx";

/** How long it says that it did. */
const SAID_MS = 1500;

/** Copies a text. `what` names it to who cannot see where the button stands. */
export function CopyButton({ text, what }: { readonly text: string; readonly what: string }) {
  const [said, setSaid] = useState<"copied" | "failed" | undefined>(undefined);
  useEffect(() => {
    if (said === undefined) return undefined;
    const timer = setTimeout(() => setSaid(undefined), SAID_MS);
    return () => clearTimeout(timer);
  }, [said]);
  const copy = async () => {
    setSaid((await copyText(text)) ? "copied" : "failed");
  };
  return (
    <button type="button" class="button plain small icon" title={`Copy ${what}`} onClick={() => void copy()}>
      <Icon name={said === "copied" ? "check" : "copy"} />
      <span class="visually-hidden" aria-live="polite">
        {said === undefined ? `Copy ${what}` : said === "copied" ? "Copied" : "The browser does not let pages copy"}
      </span>
    </button>
  );
}

async function copyText(text: string): Promise<boolean> {
  try {
    // There is no clipboard on a page that came over plain HTTP from another machine.
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

function copyBySelection(text: string): boolean {
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "visually-hidden";
  document.body.append(area);
  area.select();
  // Deprecated, and the only way that is left there.
  // eslint-disable-next-line @typescript-eslint/no-deprecated
  const done = document.execCommand("copy");
  area.remove();
  return done;
}
