import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { CopyButton } from "../copy-button.tsx";

interface Props {
  readonly title: string;
  readonly secret: string;
  /** What it is, for who hears the copy button only. */
  readonly what: string;
  /** What to do with it. */
  readonly children: ComponentChildren;
  readonly onClose: () => void;
}

/** Shows something that cannot be shown again. */
export function SecretDialog({ title, secret, what, children, onClose }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog
      ref={dialog}
      class="dialog"
      aria-labelledby={titleId}
      // Not by a slip of the Escape key: nobody shows it again.
      onCancel={(event) => event.preventDefault()}
      onClose={onClose}
    >
      <div class="stack">
        <h2 id={titleId}>{title}</h2>
        <p class="notice warning">It is shown this once. Copy it now.</p>
        <div class="command">
          <code class="secret" tabIndex={0}>
            {secret}
          </code>
          <CopyButton text={secret} what={what} />
        </div>
        {children}
        <div class="actions">
          <button type="button" class="button primary" onClick={() => dialog.current?.close()}>
            I have copied it
          </button>
        </div>
      </div>
    </dialog>
  );
}
