import { useLocation } from "preact-iso";
import { useEffect, useId, useState } from "preact/hooks";
import { Problem } from "../components/problem.tsx";
import { useSession } from "../session.tsx";
import { useTitle } from "../title.ts";

/** Where to go after it: a path of this page, and nothing else, whoever made the link. */
function destinationOf(to: string | undefined): string {
  if (to === undefined) return "/";
  const url = URL.parse(to, location.origin);
  const isOwn = url?.origin === location.origin && url.pathname !== "/login" && !url.pathname.startsWith("//");
  return isOwn ? url.pathname + url.search : "/";
}

/** Sign in with an account, or with an access token. */
export function LoginPage() {
  useTitle("Sign in");
  const { query, route } = useLocation();
  const { caller, signIn } = useSession();
  const [error, setError] = useState<Error | undefined>(undefined);
  const [isBusy, setBusy] = useState(false);
  const usernameId = useId();
  const passwordId = useId();
  // As it was when the page was opened: while the page behind it is on its way, this one stands at that page's address.
  const [destination] = useState(() => destinationOf(query.to));

  useEffect(() => {
    if (caller) route(destination, true);
  }, [caller, destination, route]);

  const submit = async (event: SubmitEvent & { currentTarget: HTMLFormElement }) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setBusy(true);
    setError(undefined);
    try {
      await signIn(textOf(form.get("username")), textOf(form.get("password")));
    } catch (problem) {
      setError(problem instanceof Error ? problem : new Error(String(problem)));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form class="stack login" onSubmit={(event) => void submit(event)}>
      <h1>Sign in</h1>
      <div class="field">
        <label for={usernameId}>Username</label>
        <input
          id={usernameId}
          name="username"
          type="text"
          autocomplete="username"
          required
          autofocus
          spellcheck={false}
        />
      </div>
      <div class="field">
        <label for={passwordId}>Password</label>
        <input id={passwordId} name="password" type="password" autocomplete="current-password" required />
        <span class="hint">Of your account. An access token is a password too, with any username.</span>
      </div>
      {error && <Problem error={error} />}
      <button type="submit" class="button primary" aria-disabled={isBusy}>
        Sign in
      </button>
    </form>
  );
}

const textOf = (value: FormDataEntryValue | null): string => (typeof value === "string" ? value : "");
