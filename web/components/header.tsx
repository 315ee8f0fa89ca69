import { useLocation } from "preact-iso";
import { formatActor } from "../format.ts";
import { useSession } from "../session.tsx";
import { ThemeButton } from "./theme-button.tsx";

/** The head of every page: where one is, and who one is. */
export function Header() {
  const { path } = useLocation();
  const { caller } = useSession();
  const isOperating = path.startsWith("/operate");
  return (
    <header class="header">
      <div>
        <a class="wordmark" href="/" aria-label="Stowage: all repositories">
          <img src="/favicon.svg" width="24" height="24" alt="" />
          <span>Stowage</span>
        </a>
        <nav aria-label="Pages">
          <a href="/" aria-current={path === "/" ? "page" : undefined}>
            Repositories
          </a>
          {caller?.role === "admin" && (
            <a href="/operate" aria-current={isOperating ? "page" : undefined}>
              Operate
            </a>
          )}
        </nav>
        <ThemeButton />
        <AccountControl />
      </div>
    </header>
  );
}

function AccountControl() {
  const { caller, signOut } = useSession();
  const { path, url } = useLocation();
  if (caller === undefined) return <div class="account" aria-hidden="true" />;
  if (caller === null) {
    const to = path === "/login" ? "/login" : `/login?to=${encodeURIComponent(url)}`;
    return (
      <div class="account">
        <a class="button" href={to}>
          Sign in
        </a>
      </div>
    );
  }
  return (
    <div class="account">
      <span class="quiet small" title={caller.actor}>
        {caller.actor.startsWith("account:") ? (
          // Where one changes the own password.
          <a href="/operate/accounts">{formatActor(caller.actor)}</a>
        ) : (
          formatActor(caller.actor)
        )}
      </span>
      <button type="button" class="button" onClick={() => void signOut()}>
        Sign out
      </button>
    </div>
  );
}
