/** The place of a text that is on its way, as wide as it is likely to be: `width` in characters. */
export function Skeleton({ width }: { readonly width: number }) {
  // A style attribute is what the page's own policy forbids; setting the property is not.
  return (
    <span
      class="skeleton"
      aria-hidden="true"
      ref={(element) => {
        if (element) element.style.width = `${width}ch`;
      }}
    />
  );
}
