import { useLocation } from "preact-iso";
import { useState } from "preact/hooks";
import { change, toQuery } from "../../api.ts";
import { ActionBadges } from "../../components/operate/action-badges.tsx";
import { ActionsField } from "../../components/forms/actions-field.tsx";
import { Age } from "../../components/age.tsx";
import { CliLine } from "../../components/operate/cli-line.tsx";
import type { Column } from "../../components/lists/data-table.tsx";
import { DoneNotice } from "../../components/done-notice.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { Form } from "../../components/forms/form.tsx";
import { Opener } from "../../components/forms/opener.tsx";
import { FilterActions } from "../../components/lists/filter-actions.tsx";
import { PagedTable } from "../../components/lists/paged-table.tsx";
import { PolicyQuestion } from "../../components/operate/policy-question.tsx";
import { RevokeButton } from "../../components/forms/revoke-button.tsx";
import { TextField } from "../../components/forms/text-field.tsx";
import { ViewHead } from "../../components/operate/view-head.tsx";
import { useDraft } from "../../draft.ts";
import { formatActor } from "../../format.ts";
import { FIRST_GRANT, grantCommand, grantRequest } from "../../operate/access-drafts.ts";
import type { PolicyRule } from "../../operate/answers.ts";
import { fieldByPath } from "../../operate/problems.ts";
import { usePagedList } from "../../paged-list.ts";

const fieldOf = fieldByPath(["subject", "repository", "actions"]);

/** The rules that grant, and what they come to. */
export function PolicyView() {
  const { query } = useLocation();
  const { subject, repository } = query;
  const list = usePagedList<PolicyRule>("/api/policy/rules", "rules", { subject, repository });
  const [isOpen, setOpen] = useState(false);
  const [done, setDone] = useState<string | undefined>(undefined);
  const finish = (text: string) => {
    setOpen(false);
    setDone(text);
    list.reload();
  };
  return (
    <>
      <ViewHead title="Policy" actions={<Opener label="Grant" isOpen={isOpen} onOpen={() => setOpen(true)} />}>
        Rules only grant: what none grants is refused, and to who may not pull it, a repository looks like none.
      </ViewHead>
      <DoneNotice text={done} />
      {isOpen && (
        <GrantForm
          onClose={() => setOpen(false)}
          onGranted={(rule) => finish(`${rule.subject} may now ${rule.actions.join(", ")} in ${rule.repository}.`)}
        />
      )}
      <PolicyQuestion />
      <section class="stack">
        <h3>Rules</h3>
        <Filters />
        <PagedTable
          list={list}
          caption="Rules"
          noun="rule"
          columns={columnsOf(finish)}
          keyOf={(rule) => `${rule.subject} ${rule.repository}`}
          empty={<NoRules isFiltered={subject !== undefined || repository !== undefined} />}
        />
      </section>
    </>
  );
}

function NoRules({ isFiltered }: { readonly isFiltered: boolean }) {
  if (isFiltered) return <p class="quiet">No rule is of this kind.</p>;
  return (
    <EmptyState title="There are no rules: only admins may do anything" args={grantCommand(FIRST_GRANT)}>
      <p>Grant pull to anyone to make repositories public; push to an account, a token, or oidc and a trust rule.</p>
    </EmptyState>
  );
}

const columnsOf = (finish: (text: string) => void): Column<PolicyRule>[] => [
  { label: "Who", kind: "main", width: 16, cell: ({ subject }) => <strong>{subject}</strong> },
  { label: "In", width: 16, cell: ({ repository }) => <code class="wrap">{repository}</code> },
  { label: "May", width: 14, cell: ({ actions }) => <ActionBadges actions={actions} /> },
  {
    label: "Since",
    width: 16,
    cell: ({ createdAt, createdBy }) => (
      <span>
        <Age time={createdAt} /> <span class="quiet">by {formatActor(createdBy)}</span>
      </span>
    ),
  },
  { label: "", kind: "actions", width: 8, cell: (rule) => <RevokeButton rule={rule} onRevoked={finish} /> },
];

/** Which rules are shown, in the address. */
function Filters() {
  const { path, query, route } = useLocation();
  const [draft, set] = useDraft({ subject: query.subject ?? "", repository: query.repository ?? "" });
  const submit = (event: Event) => {
    event.preventDefault();
    route(path + toQuery({ subject: draft.subject.trim(), repository: draft.repository.trim() }));
  };
  const isFiltered = query.subject !== undefined || query.repository !== undefined;
  return (
    <form class="filters" onSubmit={submit}>
      <TextField name="subject" label="Of" value={draft.subject} onInput={(value) => set("subject", value)} />
      <TextField
        name="repository"
        label="That hold for"
        value={draft.repository}
        onInput={(value) => set("repository", value)}
      />
      <FilterActions href={isFiltered ? path : undefined} />
    </form>
  );
}

interface GrantProps {
  readonly onClose: () => void;
  readonly onGranted: (rule: PolicyRule) => void;
}

function GrantForm({ onClose, onGranted }: GrantProps) {
  const [draft, set] = useDraft(FIRST_GRANT);
  const submit = async () => onGranted(await change<PolicyRule>("POST", "/api/policy/rules", grantRequest(draft)));
  return (
    <div class="panel stack">
      <Form action="Grant" fieldOf={fieldOf} onSubmit={submit} onCancel={onClose} takesFocus>
        <div class="fields">
          <TextField
            name="subject"
            label="To"
            hint="account:NAME, token:NAME, oidc:NAME of a trust rule, or anyone."
            value={draft.subject}
            onInput={(value) => set("subject", value)}
          />
          <TextField
            name="repository"
            label="In"
            hint="A pattern, such as team/*; ** is every repository."
            value={draft.repository}
            onInput={(value) => set("repository", value)}
          />
          <ActionsField label="May" actions={draft.actions} onChange={(actions) => set("actions", actions)} />
        </div>
      </Form>
      <CliLine args={grantCommand(draft)} />
    </div>
  );
}
