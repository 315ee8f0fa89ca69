import { useState } from "preact/hooks";
import { change, toQuery } from "../../api.ts";
import type { Action } from "../../api-types.ts";
import type { PolicyRule } from "../../operate/answers.ts";
import { ActionsField } from "./actions-field.tsx";
import { RemoveButton } from "./remove-button.tsx";

interface Props {
  readonly rule: PolicyRule;
  /** Called with what is to be said. */
  readonly onRevoked: (text: string) => void;
}

/** Takes all that a rule grants, or some of it. */
export function RevokeButton({ rule, onRevoked }: Props) {
  const { subject, repository } = rule;
  const [chosen, setChosen] = useState<readonly Action[] | undefined>(undefined);
  // A rule that was granted more meanwhile is one to choose from anew.
  const actions = (chosen ?? rule.actions).filter((action) => rule.actions.includes(action));
  const revoke = async () => {
    if (actions.length === 0) throw new Error("choose what to take");
    const query = toQuery({ subject, repository, actions: actions.join(",") });
    const left = await change<PolicyRule | undefined>("DELETE", `/api/policy/rules${query}`);
    setChosen(undefined);
    const rest = left === undefined ? "nothing by this rule" : left.actions.join(", ");
    onRevoked(`${subject} may now do in ${repository}: ${rest}.`);
  };
  return (
    <RemoveButton
      label="Revoke"
      of={`the rule of ${subject} for ${repository}`}
      question={`Take this from ${subject}?`}
      onConfirm={revoke}
    >
      <p>
        In <code class="wrap">{repository}</code>. Other rules may grant the same.
      </p>
      <ActionsField label="Take" actions={actions} of={rule.actions} onChange={setChosen} />
    </RemoveButton>
  );
}
