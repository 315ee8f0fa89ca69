import { CopyButton } from "./copy-button.tsx";

/** Several lines to be copied into a file. */
export function CodeBlock({ label, text }: { readonly label: string; readonly text: string }) {
  return (
    <div class="stack-tight">
      <span class="quiet small">{label}</span>
      <div class="command lines">
        <code tabIndex={0}>{text}</code>
        <CopyButton text={text} what="the lines" />
      </div>
    </div>
  );
}
