import { CopyButton } from "./copy-button.tsx";

/** A command for a terminal, to be copied. */
export function Command({ text }: { readonly text: string }) {
  return (
    <div class="command">
      {/* Longer than its place on a phone: it scrolls, by keyboard too. */}
      <code tabIndex={0}>{text}</code>
      <CopyButton text={text} what="the command" />
    </div>
  );
}
