/** The buttons of a list's filters; `href` is the list without them, and undefined where there are none. */
export function FilterActions({ href }: { readonly href: string | undefined }) {
  return (
    <div class="row">
      <button type="submit" class="button">
        Show
      </button>
      {href !== undefined && (
        <a class="button" href={href}>
          Show all
        </a>
      )}
    </div>
  );
}
