import { createPrivateKey, randomUUID, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { SignJWT } from "jose";
import { type Credentials, basicAuth } from "../access.ts";
import type { Workspace } from "../workspace.ts";

const ALGORITHM = "ES256";
const LIFETIME_SECONDS = 300;

/** What the names of repositories begin with that nobody in particular may pull from. */
const PRIVATE = "private/";

/** Who may push and pull everything at an upstream. */
export const UPSTREAM_OWNER: Credentials = { username: "owner", password: "an owner's password" };

/** Who may pull everything at an upstream. */
export const UPSTREAM_READER: Credentials = { username: "reader", password: "secret-of-the-reader" };

/** Docker's token service: anyone may pull, but for what is private. */
export interface TokenService {
  /** What a registry must know of it: the section `auth.token` of distribution's configuration. */
  readonly configuration: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

interface Access {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
}

const SERVICE = "upstream";
const ISSUER = "tokens of the upstream";

/** Starts a token service on a free port of 127.0.0.1, with a new key and a certificate for it. */
export async function startTokenService(workspace: Workspace): Promise<TokenService> {
  const [keyFile, certificateFile] = [workspace.path("token.key"), workspace.path("token.crt")];
  await workspace.run("openssl", [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"],
    ...["-subj", "/CN=tokens", "-keyout", keyFile, "-out", certificateFile],
  ]);
  const key = createPrivateKey(await readFile(keyFile));
  const certificate = new X509Certificate(await readFile(certificateFile)).raw.toString("base64");
  const sign = async (access: readonly Access[]): Promise<string> =>
    await new SignJWT({ access })
      .setProtectedHeader({ alg: ALGORITHM, typ: "JWT", x5c: [certificate] })
      .setIssuer(ISSUER)
      .setAudience(SERVICE)
      .setSubject("")
      .setJti(randomUUID())
      .setIssuedAt()
      .setNotBefore("-10s")
      .setExpirationTime(`${LIFETIME_SECONDS}s`)
      .sign(key);

  const server = createServer((request, response) => {
    const who = callerOf(request);
    if (who === undefined) return void response.writeHead(401).end();
    const { searchParams } = new URL(request.url ?? "", "http://localhost");
    const access = searchParams.getAll("scope").flatMap((scope) => grantedOf(scope, who));
    void sign(access).then((token) => {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ token, expires_in: LIFETIME_SECONDS }));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const realm = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
  return {
    configuration: { realm, service: SERVICE, issuer: ISSUER, rootcertbundle: certificateFile },
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

type Caller = "owner" | "reader" | "anyone";

/** Undefined for wrong credentials. */
function callerOf({ headers }: IncomingMessage): Caller | undefined {
  switch (headers.authorization) {
    case undefined:
      return "anyone";
    case basicAuth(UPSTREAM_OWNER):
      return "owner";
    case basicAuth(UPSTREAM_READER):
      return "reader";
    default:
      return undefined;
  }
}

function grantedOf(scope: string, who: Caller): Access[] {
  const [, type = "", name = "", actions = ""] = /^(\w+):(.*):(.*)$/.exec(scope) ?? [];
  const allowed = actions
    .split(",")
    .filter((action) => who === "owner" || (action === "pull" && (who === "reader" || !name.startsWith(PRIVATE))));
  return allowed.length > 0 ? [{ type, name, actions: allowed }] : [];
}
