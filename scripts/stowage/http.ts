import { type IncomingHttpHeaders, type IncomingMessage, request as requestHttp, STATUS_CODES } from "node:http";
import { request as requestHttps } from "node:https";
import { text } from "node:stream/consumers";
import * as v from "valibot";
import { codeOf, Failure, reasonOf } from "../local/failure.ts";
import { plain } from "./text.ts";

/** What the registry said. */
export interface Answer {
  /** `GET https://registry.example.org/api/accounts`, for messages. */
  readonly request: string;
  readonly host: string;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A request, to a path of the registry. */
export interface Call {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** The registry said no; its message tells what to do. */
export class Refusal extends Failure {
  readonly status: number;
  /** Of the first error, such as `DENIED`. */
  readonly code: string;

  constructor(status: number, message: string, code = "") {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/**
 * One request, answered whatever the status: a redirection is not followed, for it would take the caller's credentials
 * elsewhere. (Not by `fetch`, which shuns some ports.)
 * @throws Failure where nobody answers.
 */
export async function send(registry: URL, call: Call, timeoutMs: number): Promise<Answer> {
  const url = new URL(call.path, registry);
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const response = await open(url, call, signal);
    const { statusCode: status = 0, headers } = response;
    return { request: `${call.method} ${url.pathname}`, host: url.host, status, headers, body: await text(response) };
  } catch (error) {
    if (!signal.aborted) throw new Failure(explainSilence(error, registry));
    const seconds = timeoutMs / 1000;
    throw new Failure(`${registry.origin} did not answer within ${seconds} seconds: try again, or check the address`);
  }
}

async function open(url: URL, { method, headers, body }: Call, signal: AbortSignal): Promise<IncomingMessage> {
  return await new Promise((resolve, reject) => {
    const request = url.protocol === "https:" ? requestHttps : requestHttp;
    const options = { method, headers: { Accept: "application/json", ...headers }, signal };
    request(url, options, resolve).once("error", reject).end(body);
  });
}

/**
 * The answer's JSON, as the registry wrote it and checked to be of the form that the program knows; null for 204.
 * @throws Refusal for the registry's own errors; Failure for what no registry says.
 */
export function decode<T>(answer: Answer, schema: v.GenericSchema<unknown, T>): T {
  const { status, headers, host, request } = answer;
  if (status >= 300 && status < 400) {
    const target = plain(headers.location ?? "elsewhere");
    throw new Failure(`${host} sends ${request} on to ${target}: give the address that answers with --registry`);
  }
  const json = parse(answer.body);
  if (status >= 400) throw explainRefusal(answer, json);
  const decoded = v.safeParse(schema, status === 204 ? null : json);
  if (decoded.success) return decoded.output;
  if (json === undefined) throw strange(answer);
  const [issue] = decoded.issues;
  const where = plain(`${v.getDotPath(issue) ?? "the answer"}: ${issue.message}`);
  throw new Failure(`${host} answers ${request} in another form than expected (${where}): is it of another version?`);
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

const ErrorSchema = v.object({
  code: v.optional(v.string(), ""),
  message: v.string(),
  detail: v.optional(v.unknown()),
});
const ErrorsSchema = v.object({ errors: v.pipe(v.array(ErrorSchema), v.minLength(1)) });
/** RFC 6749, section 5.2: how the token endpoint answers a form. */
const OauthErrorSchema = v.object({ error: v.string(), error_description: v.optional(v.string()) });
/** What was wrong in which part of a request. */
const PartsSchema = v.array(v.object({ path: v.string(), message: v.string() }));

function explainRefusal(answer: Answer, json: unknown): Failure {
  const { status, headers } = answer;
  const refused = toErrors(json);
  if (refused === undefined) return strange(answer);
  const seconds = /^\d{1,6}$/.exec(headers["retry-after"] ?? "");
  const advice = seconds === null ? "" : `; try again in ${seconds[0]} seconds`;
  return new Refusal(status, plain(refused.messages.join("; ")) + advice, refused.code);
}

/** The errors of an answer's body, in words; `code` is the first one's. Undefined where it has none. */
export function readErrors(body: string): { code: string; messages: string[] } | undefined {
  return toErrors(parse(body));
}

function toErrors(json: unknown): { code: string; messages: string[] } | undefined {
  const known = v.safeParse(ErrorsSchema, json);
  if (known.success) {
    const { errors } = known.output;
    const messages = errors.flatMap(({ message, detail }) => {
      const parts = v.safeParse(PartsSchema, detail);
      const wrong = parts.success ? parts.output.map((part) => `${part.path}: ${part.message}`) : [];
      return [message, ...wrong];
    });
    return { code: errors[0]?.code ?? "", messages };
  }
  const oauth = v.safeParse(OauthErrorSchema, json);
  if (!oauth.success) return undefined;
  const { error, error_description: description } = oauth.output;
  return { code: error, messages: [description ?? error] };
}

/** A proxy's page, another server, or a registry that is broken. */
function strange({ status, headers, host, request }: Answer): Failure {
  const type = plain((headers["content-type"] ?? "no type").split(";", 1)[0] ?? "");
  const what = `${status} ${STATUS_CODES[status] ?? ""}`.trim();
  const advice =
    status >= 500
      ? "it, or a proxy before it, is out of order; try again later"
      : "it is no Stowage registry, or behind a proxy; check the address";
  return new Failure(`${host} answers ${request} with ${what} (${type}): ${advice}`);
}

/** How Node, and OpenSSL through it, names what is wrong with a certificate. */
const CERTIFICATE_CODE = /^(ERR_TLS_CERT|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|HOSTNAME_MISMATCH)/;

/** Why nobody answered, in one line. */
export function explainSilence(error: unknown, { host, hostname, origin }: URL): string {
  const code = codeOf(error) ?? "";
  if (code === "ECONNREFUSED") return `nothing answers on ${origin}: start the registry, or check the address`;
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return `no host ${hostname} is known: check the address`;
  if (code === "EPROTO") return `${host} does not speak TLS as it should: check the address and its port`;
  if (CERTIFICATE_CODE.test(code)) {
    const advice = "NODE_EXTRA_CA_CERTS=FILE names an authority of your own";
    return `the certificate of ${host} cannot be trusted: ${reasonOf(error)} (${code}); ${advice}`;
  }
  if (/^UND_ERR_\w+_TIMEOUT$/.test(code)) return `${origin} does not answer: try again, or check the address`;
  if (code === "ECONNRESET" || code === "EPIPE" || /^(UND_ERR|HPE)_/.test(code))
    return `${origin} broke the connection off: try again`;
  return `cannot reach ${origin}: ${reasonOf(error) || code}`;
}
