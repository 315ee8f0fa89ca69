import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import { useFieldProblem } from "./field-problems.tsx";

/** What a control has of its field. */
export interface ControlAttributes {
  readonly id: string;
  readonly name: string;
  readonly "aria-describedby": string | undefined;
  readonly "aria-invalid": "true" | undefined;
}

interface Props {
  readonly name: string;
  readonly label: string;
  readonly hint?: ComponentChildren;
  readonly children: (control: ControlAttributes) => ComponentChildren;
}

/** A control with its label, what helps to fill it in, and what is wrong with it. */
export function Field({ name, label, hint, children }: Props) {
  const id = useId();
  const problem = useFieldProblem(name);
  const described = [hint !== undefined && `${id}-hint`, problem !== undefined && `${id}-problem`].filter(Boolean);
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children({
        ...{ id, name },
        "aria-describedby": described.length === 0 ? undefined : described.join(" "),
        "aria-invalid": problem === undefined ? undefined : "true",
      })}
      {hint !== undefined && (
        <span class="hint" id={`${id}-hint`}>
          {hint}
        </span>
      )}
      {problem !== undefined && (
        <span class="problem" id={`${id}-problem`}>
          {problem}
        </span>
      )}
    </div>
  );
}
