import type { ComponentChildren } from "preact";

interface Props {
  readonly title: string;
  /** What it is, in a sentence or two. */
  readonly children: ComponentChildren;
  readonly actions?: ComponentChildren;
}

/** The head of an operating view. */
export function ViewHead({ title, children, actions }: Props) {
  return (
    <div class="page-head view-head">
      <div class="stack-tight">
        <h2>{title}</h2>
        <p class="quiet measure">{children}</p>
      </div>
      {actions !== undefined && <div class="row">{actions}</div>}
    </div>
  );
}
