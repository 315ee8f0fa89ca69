import { useState } from "preact/hooks";
import { change } from "../../api.ts";
import { Age } from "../../components/age.tsx";
import { ActionsField } from "../../components/forms/actions-field.tsx";
import { CliLine } from "../../components/operate/cli-line.tsx";
import { Command } from "../../components/command.tsx";
import type { Column } from "../../components/lists/data-table.tsx";
import { DoneNotice } from "../../components/done-notice.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { Form } from "../../components/forms/form.tsx";
import { GrantList } from "../../components/operate/grant-list.tsx";
import { Opener } from "../../components/forms/opener.tsx";
import { PagedTable } from "../../components/lists/paged-table.tsx";
import { RemoveButton } from "../../components/forms/remove-button.tsx";
import { SecretDialog } from "../../components/forms/secret-dialog.tsx";
import { TextField } from "../../components/forms/text-field.tsx";
import { ViewHead } from "../../components/operate/view-head.tsx";
import { useDraft } from "../../draft.ts";
import { FIRST_TOKEN, tokenCommand, tokenRequest } from "../../operate/access-drafts.ts";
import type { Token } from "../../operate/answers.ts";
import { fieldByPath } from "../../operate/problems.ts";
import { usePagedList } from "../../paged-list.ts";

type CreatedToken = Token & { readonly token: string };

const fieldOf = fieldByPath(["name", "repositories", "actions", "expires"]);

/** Access tokens: what robots log in with. */
export function TokensView() {
  const list = usePagedList<Token>("/api/tokens", "tokens");
  const [isOpen, setOpen] = useState(false);
  const [created, setCreated] = useState<CreatedToken | undefined>(undefined);
  const [done, setDone] = useState<string | undefined>(undefined);
  const revoke = async (name: string) => {
    await change("DELETE", `/api/tokens/${name}`);
    setDone(`The token ${name} is revoked: it opens nothing any more.`);
    list.reload();
  };
  return (
    <>
      <ViewHead
        title="Access tokens"
        actions={<Opener label="Create a token" isOpen={isOpen} onOpen={() => setOpen(true)} />}
      >
        For robots: with any username, a token is the password. Jobs of GitHub Actions, GitLab and Kubernetes need none:{" "}
        <a href="/operate/trust">trust their issuer</a>.
      </ViewHead>
      <DoneNotice text={done} />
      {isOpen && (
        <TokenForm
          onClose={() => setOpen(false)}
          onCreated={(token) => {
            setOpen(false);
            setCreated(token);
            list.reload();
          }}
        />
      )}
      {created && <CreatedDialog {...created} onClose={() => setCreated(undefined)} />}
      <PagedTable
        list={list}
        caption="Access tokens"
        noun="token"
        columns={columnsOf(revoke)}
        keyOf={({ id }) => id}
        empty={
          <EmptyState title="There are no access tokens" args={tokenCommand({ ...FIRST_TOKEN, name: "ci" })}>
            <p>A token may do what it is created for, in the repositories of its patterns, until it expires.</p>
          </EmptyState>
        }
      />
    </>
  );
}

const columnsOf = (revoke: (name: string) => Promise<void>): Column<Token>[] => [
  { label: "Name", kind: "main", width: 16, cell: ({ name }) => <strong>{name}</strong> },
  { label: "May", width: 20, cell: ({ grants }) => <GrantList grants={grants} /> },
  { label: "Last used", width: 10, cell: ({ lastUsedAt }) => <Age time={lastUsedAt} /> },
  { label: "Expires", width: 10, cell: ({ expiresAt }) => <Expiry time={expiresAt} /> },
  {
    label: "",
    kind: "actions",
    width: 8,
    cell: ({ name, lastUsedAt }) => (
      <RemoveButton
        label="Revoke"
        of={`the token ${name}`}
        question={`Revoke the token ${name}?`}
        onConfirm={async () => await revoke(name)}
      >
        <p>Whoever logs in with it is refused from now on, and the rules for it go. This cannot be undone.</p>
        <p class="quiet">
          It was last used: <Age time={lastUsedAt} />
        </p>
      </RemoveButton>
    ),
  },
];

function Expiry({ time }: { readonly time: string | null }) {
  if (time !== null && Date.parse(time) <= Date.now()) return <span class="badge danger">expired</span>;
  return <Age time={time} />;
}

interface FormProps {
  readonly onClose: () => void;
  readonly onCreated: (token: CreatedToken) => void;
}

function TokenForm({ onClose, onCreated }: FormProps) {
  const [draft, set] = useDraft(FIRST_TOKEN);
  const submit = async () => onCreated(await change<CreatedToken>("POST", "/api/tokens", tokenRequest(draft)));
  return (
    <div class="panel stack">
      <Form action="Create the token" fieldOf={fieldOf} onSubmit={submit} onCancel={onClose} takesFocus>
        <div class="fields">
          <TextField
            name="name"
            label="Name"
            hint="What it is for, such as ci."
            value={draft.name}
            onInput={(value) => set("name", value)}
          />
          <TextField
            name="repositories"
            label="Repositories"
            hint="Patterns, such as team/* or team/**; several with spaces between them."
            value={draft.repositories}
            onInput={(value) => set("repositories", value)}
          />
          <TextField
            name="expires"
            label="Expires after"
            hint="A duration such as 12h or 90d, or never."
            value={draft.expires}
            onInput={(value) => set("expires", value)}
          />
          <ActionsField label="It may" actions={draft.actions} onChange={(actions) => set("actions", actions)} />
        </div>
      </Form>
      <CliLine args={tokenCommand(draft)} />
    </div>
  );
}

function CreatedDialog({ name, token, onClose }: CreatedToken & { readonly onClose: () => void }) {
  return (
    <SecretDialog title={`The token ${name}`} secret={token} what="the token" onClose={onClose}>
      <p>Log in with it as the password:</p>
      <Command text={`docker login ${location.host} --username ${name} --password-stdin`} />
    </SecretDialog>
  );
}
