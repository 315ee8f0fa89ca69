import type { ComponentChildren } from "preact";
import { CliLine } from "./operate/cli-line.tsx";

interface Props {
  readonly title: string;
  readonly children: ComponentChildren;
  readonly args?: readonly string[];
}

/** Where nothing is yet: what it would be good for, and how to begin. */
export function EmptyState({ title, children, args }: Props) {
  return (
    <div class="panel stack">
      <h3>{title}</h3>
      <div class="stack-tight measure">{children}</div>
      {args && <CliLine args={args} />}
    </div>
  );
}
