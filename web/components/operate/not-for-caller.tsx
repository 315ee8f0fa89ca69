import { useLocation } from "preact-iso";
import { formatActor } from "../../format.ts";
import { useSession } from "../../session.tsx";
import { OwnPassword } from "../forms/own-password.tsx";

/** In place of what only admins see. */
export function NotForCaller() {
  const { caller } = useSession();
  const { url } = useLocation();
  if (!caller) {
    return (
      <div class="panel stack">
        <h1>Sign in to operate the registry</h1>
        <p>Collection, retention, access and costs are for its admins.</p>
        <div>
          <a class="button primary" href={`/login?to=${encodeURIComponent(url)}`}>
            Sign in
          </a>
        </div>
      </div>
    );
  }
  return (
    <>
      <div class="panel stack">
        <h1>This is for admins</h1>
        <p>You are signed in as {formatActor(caller.actor)}, who is none. Sign in as one to operate the registry.</p>
        <p>
          <a href="/">All repositories</a>
        </p>
      </div>
      <OwnPassword />
    </>
  );
}
