/** A size beside others, as a bar; the number stands beside it. `share` is of the largest, from 0 to 1. */
export function SizeBar({ share }: { readonly share: number }) {
  return (
    <span class="size-bar" aria-hidden="true">
      <span style={{ width: `${Math.max(share * 100, 1)}%` }} />
    </span>
  );
}
