import * as v from "valibot";
import { OciError } from "../oci/error.ts";
import { type Call, type Handler, nextPage, readBody } from "../protocol/call.ts";

type Schema = v.GenericSchema | v.GenericSchemaAsync;

/** What is told of an endpoint, in docs and in the OpenAPI document. */
export interface EndpointDescription {
  readonly summary: string;
  /** Parameters of the query; each value is a text. Without a schema, there are none. */
  readonly query?: v.StrictObjectSchema<v.ObjectEntries, undefined>;
  readonly body?: Schema;
  /** The status of success, 200 where none is given, and what comes with it; without a schema, nothing does. */
  readonly status?: 201 | 204;
  readonly answer?: Schema;
  /** What a 204 in place of the answer means; undefined where there is none. */
  readonly empty?: string;
}

/** A call whose query and body have been parsed. */
export type ParsedCall<Q, B> = Call & { readonly query: Q; readonly body: B };

/** A handler that says what it takes and gives. */
export type Endpoint = Handler & { readonly description: EndpointDescription };

/** No body of the API is longer: a key set is a few thousand bytes. */
const BODY_MAX_BYTES = 256 * 1024;

/** Whoever sent a list of a thousand wrong entries learns from a few of them. */
const ISSUES_MAX = 20;

interface Objection {
  /** The member of the body, or the parameter of the query; empty for the whole. */
  readonly path: string;
  readonly message: string;
}

function invalid(objections: readonly Objection[]): OciError {
  const detail = objections.slice(0, ISSUES_MAX);
  const [first] = detail;
  const where = first && first.path !== "" ? `${first.path}: ` : "";
  return new OciError("REQUEST_INVALID", { message: `${where}${first?.message ?? "invalid"}`, detail });
}

/** What is wrong, where the schema has no words of its own for it. */
function advise({ expected, received }: v.BaseIssue<unknown>): string {
  if (expected === "never") return "is not known here: leave it out";
  if (received === "undefined") return "is missing";
  const kinds: Record<string, string> = { Object: "a JSON object", string: "a text" };
  return `use ${kinds[expected ?? ""] ?? "another value"}`;
}

function parse<S extends Schema>(schema: S, input: unknown): v.InferOutput<S> {
  const result = v.safeParse(schema as v.GenericSchema, input, { message: advise });
  if (result.success) return result.output;
  throw invalid(result.issues.map((issue) => ({ path: v.getDotPath(issue) ?? "", message: issue.message })));
}

const NO_QUERY = v.strictObject({});

/** The parameters by name. One that is misspelt, or there twice, would change the meaning of the others in silence. */
function readQuery(query: URLSearchParams): Record<string, string> {
  const names = [...query.keys()];
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined) throw invalid([{ path: repeated, message: "give it once" }]);
  return Object.fromEntries(query);
}

/** Names of members that checked objects silently lose, as JavaScript has a meaning for them; a condition lost lets more in. */
const LOST_NAMES: readonly string[] = ["__proto__", "constructor", "prototype"];

function parseJson(text: string): unknown {
  let lost: string | undefined;
  let value: unknown;
  try {
    value = JSON.parse(text, (name, member: unknown) => {
      if (LOST_NAMES.includes(name)) lost = name;
      return member;
    });
  } catch {
    throw new OciError("REQUEST_INVALID", { message: "the body is no JSON" });
  }
  if (lost !== undefined) throw invalid([{ path: lost, message: "cannot be the name of anything here" }]);
  // To the library that checks, a list is an object too.
  if (Array.isArray(value)) throw invalid([{ path: "", message: "use a JSON object" }]);
  return value;
}

async function readJson(request: Request): Promise<unknown> {
  const body = await readBody(request, BODY_MAX_BYTES);
  if (body === undefined) throw new OciError("REQUEST_INVALID", { message: "the body is larger than 256 KiB" });
  return parseJson(new TextDecoder().decode(body));
}

type OutputOf<S> = S extends Schema ? v.InferOutput<S> : undefined;

/** Makes a handler that parses by its description. What `handle` returns is the answer's JSON; undefined is 204. */
export function endpoint<const D extends EndpointDescription>(
  description: D,
  handle: (call: ParsedCall<OutputOf<D["query"]>, OutputOf<D["body"]>>) => Promise<unknown>,
): Endpoint {
  const handler = async (call: Call): Promise<Response> => {
    const query: unknown = parse(description.query ?? NO_QUERY, readQuery(call.url.searchParams));
    const body = description.body && parse(description.body, await readJson(call.request));
    const answer = await handle({ ...call, query, body } as ParsedCall<OutputOf<D["query"]>, OutputOf<D["body"]>>);
    if (answer instanceof Response) return answer;
    // A list tells who may do what: no cache on the way may keep it.
    const headers = { "Cache-Control": "no-store" };
    if (answer === undefined) return new Response(null, { status: 204, headers });
    return Response.json(answer, { status: description.status ?? 200, headers });
  };
  return Object.assign(handler, { description });
}

/** The answer of a list: one page under its name, with a `Link` to the next. */
export function pageAnswer(call: Call, body: object, limit: number, next: string | undefined): Response {
  const link = next === undefined ? {} : nextPage(call.url, { n: String(limit), last: next });
  return Response.json(body, { headers: { "Cache-Control": "no-store", ...link } });
}
