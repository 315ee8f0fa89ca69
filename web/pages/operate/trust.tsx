import { useState } from "preact/hooks";
import { change } from "../../api.ts";
import { ActionBadges } from "../../components/operate/action-badges.tsx";
import { CodeBlock } from "../../components/code-block.tsx";
import type { Column } from "../../components/lists/data-table.tsx";
import { DoneNotice } from "../../components/done-notice.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { Opener } from "../../components/forms/opener.tsx";
import { PagedTable } from "../../components/lists/paged-table.tsx";
import { RemoveButton } from "../../components/forms/remove-button.tsx";
import { TrustForm } from "../../components/operate/trust-form.tsx";
import { ViewHead } from "../../components/operate/view-head.tsx";
import type { TrustRule } from "../../operate/answers.ts";
import { snippetsFor } from "../../operate/trust-presets.ts";
import { usePagedList } from "../../paged-list.ts";

/** Trust rules: jobs that log in without a secret. */
export function TrustView() {
  const list = usePagedList<TrustRule>("/api/trust", "rules");
  const [isOpen, setOpen] = useState(false);
  const [added, setAdded] = useState<TrustRule | undefined>(undefined);
  const [done, setDone] = useState<string | undefined>(undefined);
  const remove = async (name: string) => {
    await change("DELETE", `/api/trust/${name}`);
    setAdded(undefined);
    setDone(`The trust rule ${name} is removed, with the rules for whom it let in.`);
    list.reload();
  };
  return (
    <>
      <ViewHead
        title="Trust"
        actions={<Opener label="Add a trust rule" isOpen={isOpen} onOpen={() => setOpen(true)} />}
      >
        Jobs of an issuer of OpenID Connect tokens log in with their own token, and no secret is stored anywhere.
      </ViewHead>
      <DoneNotice text={done} />
      {isOpen && (
        <div class="panel stack">
          <TrustForm
            onClose={() => setOpen(false)}
            onAdded={(rule) => {
              setOpen(false);
              setAdded(rule);
              setDone(`The trust rule ${rule.name} is added.`);
              list.reload();
            }}
          />
        </div>
      )}
      {added && (
        <section class="panel stack">
          <h3>How jobs log in by {added.name}</h3>
          <Snippets rule={added} />
        </section>
      )}
      <PagedTable
        list={list}
        caption="Trust rules"
        noun="rule"
        columns={columnsOf(remove)}
        keyOf={({ name }) => name}
        empty={
          <EmptyState
            title="No issuer is trusted"
            args={[
              ...["trust", "add", "github", "--issuer", "github", "--audience", location.host],
              ...["--claim", "repository_owner=OWNER", "--repository", "ghcr/${repository}", "--actions", "pull,push"],
            ]}
          >
            <p>With a trust rule, CI pushes without a password or token in its settings, and nothing there can leak.</p>
          </EmptyState>
        }
      />
    </>
  );
}

const columnsOf = (remove: (name: string) => Promise<void>): Column<TrustRule>[] => [
  { label: "Rule", kind: "main", width: 24, cell: (rule) => <RuleCell rule={rule} /> },
  {
    label: "If its token says",
    width: 24,
    cell: ({ claims }) => (
      <ul>
        {Object.entries(claims).map(([claim, pattern]) => (
          <li key={claim}>
            <code class="wrap">
              {claim}={pattern}
            </code>
          </li>
        ))}
      </ul>
    ),
  },
  { label: "It may", width: 20, cell: (rule) => <Allowed rule={rule} /> },
  {
    label: "",
    kind: "actions",
    width: 8,
    cell: ({ name }) => (
      <RemoveButton
        label="Remove"
        of={`the trust rule ${name}`}
        question={`Remove the trust rule ${name}?`}
        onConfirm={async () => await remove(name)}
      >
        <p>Its jobs are refused from now on, and all that was granted to oidc:{name} goes.</p>
      </RemoveButton>
    ),
  },
];

function RuleCell({ rule }: { readonly rule: TrustRule }) {
  const { name, issuer, audience, hasKeys } = rule;
  return (
    <div class="stack-tight">
      <strong>{name}</strong>
      <span class="quiet small wrap">
        {issuer}, for {audience}
      </span>
      {hasKeys && <span class="quiet small">with keys of its own</span>}
      <details>
        <summary>How jobs log in</summary>
        <Snippets rule={rule} />
      </details>
    </div>
  );
}

function Allowed({ rule: { repositories, actions } }: { readonly rule: TrustRule }) {
  return (
    <div class="stack-tight">
      <ActionBadges actions={actions} />
      <ul>
        {repositories.map((pattern) => (
          <li key={pattern}>
            <code class="wrap">{pattern}</code>
          </li>
        ))}
      </ul>
    </div>
  );
}

function Snippets({ rule }: { readonly rule: TrustRule }) {
  return (
    <div class="stack-tight">
      {snippetsFor(rule, location.host).map(({ where, text }) => (
        <CodeBlock key={where} label={where} text={text} />
      ))}
    </div>
  );
}
