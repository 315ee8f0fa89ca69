/** Says what was just done; to who cannot see it too. */
export function DoneNotice({ text }: { readonly text: string | undefined }) {
  return <div role="status">{text !== undefined && <p class="notice good">{text}</p>}</div>;
}
