import { useLocation } from "preact-iso";
import { useSession } from "../session.tsx";

/** Says that a session ended by itself, and that what is shown is what everybody sees. */
export function SessionNotice() {
  const { hasEnded } = useSession();
  const { url, path } = useLocation();
  if (!hasEnded || path === "/login") return null;
  return (
    <p class="notice warning" role="status">
      Your session has ended. You see what is public. <a href={`/login?to=${encodeURIComponent(url)}`}>Sign in again</a>
    </p>
  );
}
