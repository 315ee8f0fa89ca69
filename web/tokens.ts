import { reach, successful } from "./http.ts";
import type { Caller } from "./api-types.ts";

// Bearer tokens live in the memory of the page alone. The cookie of the session is one that scripts cannot read, and that the
// browser sends to /api/session and nowhere else.

interface Issued {
  readonly token: string;
  readonly expiresAt: string;
  readonly caller: Caller | null;
}

/** Renewed a little before they end. */
const RENEW_MS = 30_000;

/** Says that somebody signed in here: else no token is asked for, and the first page is there a round trip earlier. */
const HINT = "stowage.signed-in";

const issued = new Map<string, Promise<Issued | undefined>>();
let isSignedIn = readHint();
let onEnded: () => void = () => undefined;

function readHint(): boolean {
  try {
    return localStorage.getItem(HINT) !== null;
  } catch {
    return true;
  }
}

/** Notes that somebody signed in, or that nobody is any more. */
export function setSignedIn(signedIn: boolean): void {
  isSignedIn = signedIn;
  forgetBearers();
  try {
    if (signedIn) localStorage.setItem(HINT, "1");
    else localStorage.removeItem(HINT);
  } catch {
    // Without storage, each page asks.
  }
}

/** Calls back when the session has ended by itself. */
export function whenEnded(callback: () => void): void {
  onEnded = callback;
}

/** Tokens are asked for again. */
export function forgetBearers(): void {
  issued.clear();
}

/** A token for a scope; undefined where nobody is signed in: what is public needs none. */
export async function bearerFor(scope: string): Promise<string | undefined> {
  return (await issue(scope))?.token;
}

/** Who is signed in; null for nobody. */
export async function findCaller(): Promise<Caller | null> {
  return (await issue("registry:api:*"))?.caller ?? null;
}

async function issue(scope: string): Promise<Issued | undefined> {
  if (!isSignedIn) return undefined;
  const known = await issued.get(scope);
  if (known !== undefined && Date.parse(known.expiresAt) - RENEW_MS > Date.now()) return known;
  const asked = fetchToken(scope);
  issued.set(scope, asked);
  try {
    return await asked;
  } catch (error) {
    issued.delete(scope);
    throw error;
  }
}

async function fetchToken(scope: string): Promise<Issued | undefined> {
  const response = await reach("/api/session/token", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ scopes: [scope] }),
  });
  const answer = response.status === 401 ? undefined : ((await (await successful(response)).json()) as Issued);
  if (answer?.caller) return answer;
  // The session is over: it had its time, or its credential was changed or revoked.
  setSignedIn(false);
  onEnded();
  return undefined;
}
