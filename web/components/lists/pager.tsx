import { plural } from "../../format.ts";

interface Props {
  /** What is listed, in the singular. */
  readonly noun: string;
  readonly many?: string;
  readonly total: number | undefined;
  /** Addresses of other pages; undefined: there are none. */
  readonly first: string | undefined;
  readonly next: string | undefined;
}

/** Says how much there is, and goes on. The way back to the page before is the browser's. */
export function Pager({ noun, many, total, first, next }: Props) {
  return (
    <nav class="pager" aria-label="Pages of the list">
      <span class="quiet small" role="status">
        {total === undefined ? "" : plural(total, noun, many)}
      </span>
      <span class="row">
        {first !== undefined && (
          <a class="button" href={first}>
            First page
          </a>
        )}
        {next !== undefined && (
          <a class="button" href={next}>
            Next page
          </a>
        )}
      </span>
    </nav>
  );
}
