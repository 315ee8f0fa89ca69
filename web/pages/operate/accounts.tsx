import { useState } from "preact/hooks";
import { change } from "../../api.ts";
import { Age } from "../../components/age.tsx";
import { CliLine } from "../../components/operate/cli-line.tsx";
import { Command } from "../../components/command.tsx";
import type { Column } from "../../components/lists/data-table.tsx";
import { DoneNotice } from "../../components/done-notice.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { Form } from "../../components/forms/form.tsx";
import { Opener } from "../../components/forms/opener.tsx";
import { OwnPassword } from "../../components/forms/own-password.tsx";
import { PagedTable } from "../../components/lists/paged-table.tsx";
import { RemoveButton } from "../../components/forms/remove-button.tsx";
import { SecretDialog } from "../../components/forms/secret-dialog.tsx";
import { SelectField } from "../../components/forms/select-field.tsx";
import { PasswordField } from "../../components/forms/password-field.tsx";
import { TextField } from "../../components/forms/text-field.tsx";
import { ViewHead } from "../../components/operate/view-head.tsx";
import { useDraft } from "../../draft.ts";
import { formatActor } from "../../format.ts";
import { accountCommand, accountRequest, FIRST_ACCOUNT, passwordRequest } from "../../operate/access-drafts.ts";
import type { Account } from "../../operate/answers.ts";
import { fieldByPath } from "../../operate/problems.ts";
import { usePagedList } from "../../paged-list.ts";

/** A password that the registry made, to be shown once. */
interface Made {
  readonly name: string;
  readonly password?: string;
}

/** What is open: the form of a new account, or of another password for one. */
type Open = { readonly kind: "add" } | { readonly kind: "password"; readonly name: string } | undefined;

/** Accounts: people, who log in with a password. */
export function AccountsView() {
  const list = usePagedList<Account>("/api/accounts", "accounts");
  const [open, setOpen] = useState<Open>(undefined);
  const [made, setMade] = useState<Made | undefined>(undefined);
  const [done, setDone] = useState<string | undefined>(undefined);
  const close = () => setOpen(undefined);
  const finish = (result: Made, what: string) => {
    close();
    list.reload();
    setDone(what);
    if (result.password !== undefined) setMade(result);
  };
  const remove = async (name: string) => {
    await change("DELETE", `/api/accounts/${name}`);
    setDone(`The account ${name} is removed, with its rules.`);
    list.reload();
  };
  return (
    <>
      <ViewHead
        title="Accounts"
        actions={
          <Opener label="Add an account" isOpen={open?.kind === "add"} onOpen={() => setOpen({ kind: "add" })} />
        }
      >
        For people. A member may do what <a href="/operate/policy">rules</a> grant, an admin everything. The bootstrap
        account, admin, is in no list.
      </ViewHead>
      <DoneNotice text={done} />
      {open?.kind === "add" && (
        <AccountForm onClose={close} onAdded={(added) => finish(added, `The account ${added.name} is added.`)} />
      )}
      {open?.kind === "password" && (
        <PasswordForm
          key={open.name}
          name={open.name}
          onClose={close}
          onSet={(set) => finish(set, `${set.name} has another password.`)}
        />
      )}
      {made?.password !== undefined && (
        <MadeDialog name={made.name} password={made.password} onClose={() => setMade(undefined)} />
      )}
      <PagedTable
        list={list}
        caption="Accounts"
        noun="account"
        columns={columnsOf(remove, (name) => setOpen({ kind: "password", name }))}
        keyOf={({ name }) => name}
        empty={
          <EmptyState title="There is no account but admin" args={["account", "add", "alice"]}>
            <p>Add one for each person, so that the audit tells who did what, and grant it what it needs.</p>
          </EmptyState>
        }
      />
      <OwnPassword />
    </>
  );
}

const columnsOf = (remove: (name: string) => Promise<void>, setPassword: (name: string) => void): Column<Account>[] => [
  { label: "Name", kind: "main", width: 16, cell: ({ name }) => <strong>{name}</strong> },
  {
    label: "Role",
    width: 8,
    cell: ({ role }) => <span class={role === "admin" ? "badge accent" : "badge"}>{role}</span>,
  },
  { label: "Added", width: 10, cell: ({ createdAt }) => <Age time={createdAt} /> },
  { label: "By", width: 10, cell: ({ createdBy }) => formatActor(createdBy) },
  {
    label: "",
    kind: "actions",
    width: 18,
    cell: ({ name }) => (
      <span class="row">
        <button
          type="button"
          class="button small"
          aria-label={`Set password of ${name}`}
          onClick={() => setPassword(name)}
        >
          Set password
        </button>
        <RemoveButton
          label="Remove"
          of={`the account ${name}`}
          question={`Remove the account ${name}?`}
          onConfirm={async () => await remove(name)}
        >
          <p>It may log in no more, and the rules for it go. What it pushed stays.</p>
        </RemoveButton>
      </span>
    ),
  },
];

const accountField = fieldByPath(["name", "role", "password"]);

const ROLES = [
  { value: "member", label: "Member: may do what rules grant" },
  { value: "admin", label: "Admin: may do everything" },
] as const;

const PASSWORD_HINT = "Left empty, the registry makes one and shows it once.";

interface AddProps {
  readonly onClose: () => void;
  readonly onAdded: (added: Made) => void;
}

function AccountForm({ onClose, onAdded }: AddProps) {
  const [draft, set] = useDraft(FIRST_ACCOUNT);
  const submit = async () => onAdded(await change<Made>("POST", "/api/accounts", accountRequest(draft)));
  return (
    <div class="panel stack">
      <Form action="Add the account" fieldOf={accountField} onSubmit={submit} onCancel={onClose} takesFocus>
        <div class="fields">
          <TextField
            name="name"
            label="Name"
            hint="Small letters and digits, such as alice."
            value={draft.name}
            onInput={(value) => set("name", value)}
          />
          <SelectField
            name="role"
            label="Role"
            value={draft.role}
            options={ROLES}
            onChange={(role) => set("role", role)}
          />
          <PasswordField
            name="password"
            label="Password"
            hint={PASSWORD_HINT}
            autocomplete="new-password"
            value={draft.password}
            onInput={(value) => set("password", value)}
          />
        </div>
      </Form>
      <CliLine args={accountCommand(draft)} />
    </div>
  );
}

interface SetProps {
  readonly name: string;
  readonly onClose: () => void;
  readonly onSet: (set: Made) => void;
}

function PasswordForm({ name, onClose, onSet }: SetProps) {
  const [password, setPassword] = useState("");
  const submit = async () =>
    onSet(await change<Made>("PUT", `/api/accounts/${name}/password`, passwordRequest(password)));
  return (
    <div class="panel stack">
      <h3>Another password for {name}</h3>
      <Form action="Set the password" fieldOf={accountField} onSubmit={submit} onCancel={onClose} takesFocus>
        <PasswordField
          name="password"
          label="Password"
          hint={PASSWORD_HINT}
          autocomplete="new-password"
          value={password}
          onInput={setPassword}
        />
      </Form>
      <CliLine args={["account", "password", name]} />
    </div>
  );
}

interface MadeProps {
  readonly name: string;
  readonly password: string;
  readonly onClose: () => void;
}

function MadeDialog({ name, password, onClose }: MadeProps) {
  return (
    <SecretDialog title={`The password of ${name}`} secret={password} what="the password" onClose={onClose}>
      <p>Give it to {name}, who logs in with it and changes it:</p>
      <Command text={`docker login ${location.host} --username ${name}`} />
    </SecretDialog>
  );
}
