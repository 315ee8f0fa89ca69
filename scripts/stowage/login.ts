import * as v from "valibot";
import { Client } from "./client.ts";
import { type Credentials, findCredentials } from "./credentials.ts";
import type { Environment } from "./environment.ts";
import { type Call, decode, Refusal, send } from "./http.ts";
import type { Registry } from "./registry.ts";

const SERVICE = "stowage";
const SCOPE = "registry:api:*";

const TokenSchema = v.union([
  v.pipe(
    v.object({ token: v.string() }),
    v.transform(({ token }) => token),
  ),
  v.pipe(
    v.object({ access_token: v.string() }),
    v.transform(({ access_token }) => access_token),
  ),
]);

/** Finds credentials, exchanges them for a token of some minutes, and returns the API as that caller has it. */
export async function logIn(registry: Registry, environment: Environment): Promise<Client> {
  const credentials = await findCredentials(registry, environment);
  const { timeoutMs } = environment;
  try {
    const token = decode(await send(registry.url, tokenCall(credentials), timeoutMs), TokenSchema);
    return new Client(registry, credentials, token, timeoutMs);
  } catch (error) {
    if (!(error instanceof Refusal) || (error.status !== 400 && error.status !== 401)) throw error;
    throw new Refusal(
      error.status,
      `${registry.url.host} refuses the credentials of ${credentials.source}: ${error.message}`,
    );
  }
}

/** Docker's two ways to a token: its "Token Authentication Specification", and "OAuth2" for what log-ins left. */
function tokenCall(credentials: Credentials): Call {
  if (credentials.kind === "identity token") {
    const grant = { grant_type: "refresh_token", refresh_token: credentials.token, client_id: "stowage" };
    const form = new URLSearchParams({ ...grant, service: SERVICE, scope: SCOPE });
    const headers = { "Content-Type": "application/x-www-form-urlencoded" };
    return { method: "POST", path: "/token", headers, body: form.toString() };
  }
  const pair = Buffer.from(`${credentials.username}:${credentials.password}`).toString("base64");
  const query = new URLSearchParams({ service: SERVICE, scope: SCOPE });
  return { method: "GET", path: `/token?${query.toString()}`, headers: { Authorization: `Basic ${pair}` } };
}
