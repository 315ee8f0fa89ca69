import { useState } from "preact/hooks";
import { get } from "../../api.ts";
import { useDraft } from "../../draft.ts";
import type { PolicyCheck } from "../../operate/answers.ts";
import { fieldByPath } from "../../operate/problems.ts";
import { ActionBadges } from "./action-badges.tsx";
import { Form } from "../forms/form.tsx";
import { GrantList } from "./grant-list.tsx";
import { TextField } from "../forms/text-field.tsx";

const fieldOf = fieldByPath(["subject", "repository"]);

/** What may somebody do with a repository, and why? */
export function PolicyQuestion() {
  const [draft, set] = useDraft({ subject: "", repository: "" });
  const [answer, setAnswer] = useState<PolicyCheck | undefined>(undefined);
  const submit = async () => {
    setAnswer(undefined);
    const [subject, repository] = [draft.subject.trim(), draft.repository.trim()];
    setAnswer(await get<PolicyCheck>("/api/policy/check", { subject, repository }));
  };
  return (
    <section class="panel stack">
      <h3>What may somebody do, and why?</h3>
      <Form action="Check" fieldOf={fieldOf} onSubmit={submit}>
        <div class="fields">
          <TextField
            name="subject"
            label="Who"
            placeholder="account:alice"
            value={draft.subject}
            onInput={(value) => set("subject", value)}
          />
          <TextField
            name="repository"
            label="With the repository"
            placeholder="team/web"
            value={draft.repository}
            onInput={(value) => set("repository", value)}
          />
        </div>
      </Form>
      <div class="done" role="status">
        {answer && <Answer {...answer} />}
      </div>
    </section>
  );
}

function Answer({ subject, repository, actions, rules, trust }: PolicyCheck) {
  return (
    <div class="stack">
      <p class="row">
        <span>
          <strong>{subject}</strong> may do {actions.length === 0 ? "nothing" : "this"} with{" "}
          <strong>{repository}</strong>
          {actions.length === 0 ? "." : ":"}
        </span>
        <ActionBadges actions={actions} />
      </p>
      {rules.length > 0 && (
        <div class="stack-tight">
          <h4>By these rules</h4>
          <ul class="stack-tight">
            {rules.map((rule) => (
              <li key={`${rule.subject} ${rule.repository}`} class="row">
                <span>{rule.subject}</span>
                <code class="wrap">{rule.repository}</code>
                <ActionBadges actions={rule.actions} />
              </li>
            ))}
          </ul>
        </div>
      )}
      {trust && (
        <div class="stack-tight">
          <h4>By the trust rule itself</h4>
          <GrantList grants={trust} />
          <p class="quiet small">Where a pattern has a ${"{claim}"}, it depends on the token.</p>
        </div>
      )}
    </div>
  );
}
