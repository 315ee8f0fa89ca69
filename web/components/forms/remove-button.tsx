import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { ConfirmDialog } from "./confirm-dialog.tsx";

interface Props {
  readonly label: string;
  /** What it is done to, for who hears the buttons one by one. */
  readonly of: string;
  /** What the dialog asks. */
  readonly question: string;
  /** What will be. */
  readonly children: ComponentChildren;
  readonly onConfirm: () => Promise<void>;
}

/** A button for what cannot be undone: it asks first. */
export function RemoveButton({ label, of, question, children, onConfirm }: Props) {
  const [isAsking, setAsking] = useState(false);
  return (
    <>
      <button type="button" class="button small" aria-label={`${label} ${of}`} onClick={() => setAsking(true)}>
        {label}
      </button>
      {isAsking && (
        <ConfirmDialog
          title={question}
          action={label}
          isDangerous
          onConfirm={onConfirm}
          onClose={() => setAsking(false)}
        >
          <div class="stack-tight">{children}</div>
        </ConfirmDialog>
      )}
    </>
  );
}
