import { useId } from "preact/hooks";
import type { Action } from "../../api-types.ts";
import { ACTIONS, withAction } from "../../operate/access-drafts.ts";
import { useFieldProblem } from "./field-problems.tsx";

interface Props {
  readonly label: string;
  readonly actions: readonly Action[];
  readonly onChange: (actions: readonly Action[]) => void;
  /** Those that there are to choose from. */
  readonly of?: readonly Action[];
}

/** Which actions: pull, push, delete. */
export function ActionsField({ label, actions, onChange, of = ACTIONS }: Props) {
  const problem = useFieldProblem("actions");
  const problemId = useId();
  return (
    <fieldset class="field" aria-describedby={problem === undefined ? undefined : problemId}>
      <legend>{label}</legend>
      <div class="row">
        {of.map((action) => (
          <label key={action} class="check">
            <input
              type="checkbox"
              name="actions"
              value={action}
              checked={actions.includes(action)}
              aria-invalid={problem === undefined ? undefined : "true"}
              onChange={(event) => onChange(withAction(actions, action, event.currentTarget.checked))}
            />
            {action}
          </label>
        ))}
      </div>
      {problem !== undefined && (
        <span class="problem" id={problemId}>
          {problem}
        </span>
      )}
    </fieldset>
  );
}
