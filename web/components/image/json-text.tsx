import { useState } from "preact/hooks";
import { CopyButton } from "../copy-button.tsx";

/** What a browser draws without a pause. */
const SHOWN_CHARACTERS = 500_000;

interface Props {
  readonly title: string;
  readonly text: string;
  readonly isOpenAtFirst?: boolean;
}

/** JSON as somebody wrote it, folded away; set out in lines where it is valid. */
export function JsonText({ title, text, isOpenAtFirst = false }: Props) {
  const [isOpen, setOpen] = useState(isOpenAtFirst);
  return (
    <details class="fold" open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{title}</summary>
      {isOpen && (
        <div class="json">
          <CopyButton text={text} what={title} />
          <pre tabIndex={0}>{setOut(text)}</pre>
        </div>
      )}
    </details>
  );
}

function setOut(text: string): string {
  const shown = text.length > SHOWN_CHARACTERS ? text : format(text);
  return shown.length > SHOWN_CHARACTERS ? `${shown.slice(0, SHOWN_CHARACTERS)}\n…` : shown;
}

function format(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
