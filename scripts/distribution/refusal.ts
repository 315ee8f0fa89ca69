import type { IncomingHttpHeaders } from "node:http";
import { STATUS_CODES } from "node:http";
import { readErrors, Refusal } from "../stowage/http.ts";
import { plain } from "../stowage/text.ts";
import type { Endpoint } from "./endpoint.ts";
import { Interruption } from "./interruption.ts";

/** An answer that is not what was asked for. */
export interface Unwanted {
  /** `GET /v2/team/web/tags/list` */
  readonly request: string;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Statuses of registries, and of proxies before them, that pass. */
const PASSING = new Set([408, 425, 429, 500, 502, 503, 504]);

/** Why the registry did not do it, and what to do. */
export function explainUnwanted(endpoint: Endpoint, unwanted: Unwanted): Refusal | Interruption {
  const { host } = endpoint;
  const { request, status, headers, body } = unwanted;
  const said = readErrors(body);
  const words =
    said === undefined
      ? `answers ${request} with ${`${status} ${STATUS_CODES[status] ?? ""}`.trim()}`
      : `says: ${plain(said.messages.join("; "))}`;
  if (PASSING.has(status)) {
    const waitMs = readRetryAfter(headers["retry-after"]);
    return new Interruption(`${host} ${words}; ${advisePatience(endpoint, status, waitMs)}`, waitMs);
  }
  return new Refusal(status, `${host} ${words}${advise(endpoint, status)}`, said?.code);
}

/** Milliseconds, of seconds or a date (RFC 9110, section 10.2.3). */
function readRetryAfter(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const ms = /^\d{1,9}$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(ms, 0);
}

function advisePatience({ credentials, host }: Endpoint, status: number, waitMs: number | undefined): string {
  const wait = waitMs === undefined ? "try again later" : `try again in ${Math.ceil(waitMs / 1000)} seconds`;
  if (status !== 429 || credentials !== undefined) return wait;
  return `${wait}, or run docker login ${host}: who logs in may ask more often`;
}

function advise(endpoint: Endpoint, status: number): string {
  if (status === 401 || status === 403) return `; ${adviseLogin(endpoint)}`;
  if (status === 413) return "; a proxy before it takes no request as large: give less with --chunk-size";
  if (status >= 300 && status < 400) return "; give the address that answers";
  return "";
}

/** What who is not let in can do. */
export function adviseLogin({ host, credentials, problem }: Endpoint): string {
  if (credentials !== undefined) return `who it knows by ${credentials.source} may not do that`;
  return `run docker login ${host}${problem === undefined ? "" : ` (${problem})`}`;
}
