import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { onTestFinished } from "vitest";

/** What the stand-in answers: JSON, or with `text` something else. */
export interface StandInAnswer {
  readonly status?: number;
  readonly json?: unknown;
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request as it came in. */
export interface Received {
  /** `GET /api/accounts?n=2` */
  readonly line: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

type Answerer = StandInAnswer | ((request: Received) => StandInAnswer | Promise<StandInAnswer>);

/** A registry of a test's own, which answers what the test says. */
export interface StandIn {
  readonly url: string;
  readonly host: string;
  /** All requests but those for tokens. */
  readonly calls: Received[];
  /** Requests for tokens. */
  readonly logins: Received[];
}

/** The password that the stand-in takes, of whomever. */
export const PASSWORD = "open sesame";

/** The errors of the API. */
export function refuse(status: number, message: string, detail?: unknown, code = "REFUSED"): StandInAnswer {
  return { status, json: { errors: [{ code, message, ...(detail !== undefined && { detail }) }] } };
}

/** Starts one; a route is a method and a path with its query. What has no route is 404, as in the registry. */
export async function startStandIn(routes: Readonly<Record<string, Answerer>> = {}): Promise<StandIn> {
  const calls: Received[] = [];
  const logins: Received[] = [];
  const answer = async (request: Received): Promise<StandInAnswer> => {
    const isLogin = /^\w+ \/token\b/.test(request.line);
    (isLogin ? logins : calls).push(request);
    const route = routes[request.line] ?? routes[request.line.replace(/\?.*/, "")];
    if (typeof route === "function") return await route(request);
    if (route) return route;
    if (isLogin) return answerLogin(request);
    if (request.headers.authorization !== "Bearer a-token") return refuse(401, "authentication required");
    return refuse(404, "no such endpoint");
  };

  const server = createServer((request, response) => {
    void (async () => {
      const line = `${request.method ?? ""} ${request.url ?? ""}`;
      const {
        status = 200,
        json,
        text: page,
        headers,
      } = await answer({
        line,
        headers: request.headers,
        body: await text(request),
      });
      const type = page === undefined ? "application/json" : "text/html; charset=utf-8";
      response.writeHead(status, { "Content-Type": type, ...headers });
      response.end(status === 204 ? undefined : (page ?? JSON.stringify(json)));
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url: `http://${host}`, host, calls, logins };
}

function answerLogin({ headers, body }: Received): StandInAnswer {
  if (body !== "") {
    const isKnown = new URLSearchParams(body).get("refresh_token") === PASSWORD;
    if (isKnown) return { json: { access_token: "a-token", expires_in: 300 } };
    return { status: 400, json: { error: "invalid_grant", error_description: "the log-in has expired" } };
  }
  const pair = Buffer.from((headers.authorization ?? "").replace(/^Basic /, ""), "base64").toString();
  if (pair.endsWith(`:${PASSWORD}`)) return { json: { token: "a-token", expires_in: 300 } };
  return refuse(401, "wrong username or password");
}

/** Who logged in, by the Basic credentials of a request. */
export function usernameOf({ headers }: Received): string {
  return Buffer.from((headers.authorization ?? "").replace(/^Basic /, ""), "base64")
    .toString()
    .split(":", 1)[0]!;
}
