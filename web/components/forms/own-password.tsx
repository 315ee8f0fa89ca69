import { useState } from "preact/hooks";
import { change } from "../../api.ts";
import { useDraft } from "../../draft.ts";
import { passwordRequest } from "../../operate/access-drafts.ts";
import { fieldByPath } from "../../operate/problems.ts";
import { useSession } from "../../session.tsx";
import { DoneNotice } from "../done-notice.tsx";
import { Form } from "./form.tsx";
import { PasswordField } from "./password-field.tsx";

const fieldOf = fieldByPath(["password", "currentPassword"]);
const EMPTY = { password: "", currentPassword: "" };

/** Lets the caller, if it is an account that has its password here, change it. */
export function OwnPassword() {
  const { caller, signIn } = useSession();
  const [draft, set, put] = useDraft(EMPTY);
  const [done, setDone] = useState<string | undefined>(undefined);
  const name = /^account:(.+)$/.exec(caller?.actor ?? "")?.[1];
  if (name === undefined) return null;
  if (name === "admin") {
    return (
      <section class="panel stack-tight">
        <h2>Your password</h2>
        <p>
          You are the bootstrap account: your password is the secret <code>ADMIN_PASSWORD</code> of the Worker. Make
          accounts for people, and keep this one for emergencies.
        </p>
      </section>
    );
  }
  const isAdmin = caller?.role === "admin";
  const submit = async () => {
    setDone(undefined);
    const { password, currentPassword } = draft;
    await change("PUT", `/api/accounts/${name}/password`, passwordRequest(password, isAdmin ? "" : currentPassword));
    // What was signed in by the password before has ended with it.
    await signIn(name, password);
    put(EMPTY);
    setDone("Your password is changed. Where you are signed in elsewhere, sign in again.");
  };
  return (
    <section class="panel stack">
      <h2>Your password</h2>
      <Form action="Change your password" fieldOf={fieldOf} onSubmit={submit} isDisabled={draft.password === ""}>
        <input type="text" name="username" autocomplete="username" value={name} readOnly hidden />
        <div class="fields">
          {!isAdmin && (
            <PasswordField
              name="currentPassword"
              label="The password until now"
              autocomplete="current-password"
              value={draft.currentPassword}
              onInput={(value) => set("currentPassword", value)}
            />
          )}
          <PasswordField
            name="password"
            label="The new password"
            hint="12 characters or more."
            autocomplete="new-password"
            value={draft.password}
            onInput={(value) => set("password", value)}
          />
        </div>
      </Form>
      <DoneNotice text={done} />
    </section>
  );
}
