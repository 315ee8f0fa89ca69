import { type ComponentChildren, createContext, Fragment } from "preact";
import { useCallback, useContext, useEffect, useMemo, useState } from "preact/hooks";
import type { Caller } from "./api-types.ts";
import { reach, successful } from "./http.ts";
import { forgetResources } from "./resource.ts";
import { findCaller, setSignedIn, whenEnded } from "./tokens.ts";

interface Session {
  /** Who is signed in; null: nobody; undefined: not known yet. */
  readonly caller: Caller | null | undefined;
  /** Whether a session ended by itself while the page was open. */
  readonly hasEnded: boolean;
  /** Throws ApiError for a wrong password. */
  readonly signIn: (username: string, password: string) => Promise<void>;
  readonly signOut: () => Promise<void>;
}

const SessionContext = createContext<Session | undefined>(undefined);

/** Who is signed in, for all below. */
export function SessionProvider({ children }: { readonly children: ComponentChildren }) {
  const [caller, setCaller] = useState<Caller | null | undefined>(undefined);
  const [hasEnded, setHasEnded] = useState(false);
  const [visit, setVisit] = useState(0);

  const become = useCallback(
    (next: Caller | null) => {
      setSignedIn(next !== null);
      forgetResources();
      setHasEnded(false);
      setCaller(next);
      // Who changed the own password is the same person, in the middle of something.
      if (next?.actor !== caller?.actor) setVisit((before) => before + 1);
    },
    [caller],
  );

  useEffect(() => {
    whenEnded(() => {
      forgetResources();
      setHasEnded(true);
      setCaller(null);
    });
    findCaller().then(setCaller, () => setCaller(null));
  }, []);

  const session = useMemo(
    (): Session => ({
      caller,
      hasEnded,
      signIn: async (username, password) => {
        const response = await reach("/api/session", {
          method: "POST",
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify({ username, password }),
        });
        const { actor, role } = (await (await successful(response)).json()) as Caller;
        become({ actor, role });
      },
      signOut: async () => {
        await successful(await reach("/api/session", { method: "DELETE" }));
        become(null);
      },
    }),
    [caller, hasEnded, become],
  );
  return (
    <SessionContext.Provider value={session}>
      {/* Nothing that was shown to one person is left for the next. */}
      <Fragment key={visit}>{children}</Fragment>
    </SessionContext.Provider>
  );
}

/** The session of the page. */
export function useSession(): Session {
  const session = useContext(SessionContext);
  if (session === undefined) throw new Error("there is no session around this");
  return session;
}

/** Whether the caller is an admin. */
export const useIsAdmin = (): boolean => useSession().caller?.role === "admin";
