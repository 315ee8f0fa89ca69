import * as v from "valibot";
import { OciError } from "../oci/error.ts";
import { type Call, type Handler, nextPage, readBody } from "../protocol/call.ts";

type Schema = v.GenericSchema | v.GenericSchemaAsync;

/** What is told of an endpoint, in docs and in the OpenAPI document. */
export interface EndpointDescription {
  readonly summary: string;
  /** Parameters of the query; each value is a text. */
  readonly query?: v.ObjectSchema<v.ObjectEntries, undefined>;
  readonly body?: Schema;
  /** The status of success, 200 where none is given, and what comes with it; without a schema, nothing does. */
  readonly status?: 201 | 204;
  readonly answer?: Schema;
}

/** A call whose query and body have been parsed. */
export type ParsedCall<Q, B> = Call & { readonly query: Q; readonly body: B };

/** A handler that says what it takes and gives. */
export type Endpoint = Handler & { readonly description: EndpointDescription };

/** No body of the API is longer: a key set is a few thousand bytes. */
const BODY_MAX_BYTES = 256 * 1024;

function invalid(issues: readonly v.BaseIssue<unknown>[]): OciError {
  const detail = issues.map((issue) => ({ path: v.getDotPath(issue) ?? "", message: issue.message }));
  const [first] = detail;
  const where = first && first.path !== "" ? `${first.path}: ` : "";
  return new OciError("REQUEST_INVALID", { message: `${where}${first?.message ?? "invalid"}`, detail });
}

function parse<S extends Schema>(schema: S, input: unknown): v.InferOutput<S> {
  const result = v.safeParse(schema as v.GenericSchema, input);
  if (!result.success) throw invalid(result.issues);
  return result.output;
}

async function readJson(request: Request): Promise<unknown> {
  const body = await readBody(request, BODY_MAX_BYTES);
  if (body === undefined) throw new OciError("REQUEST_INVALID", { message: "the body is larger than 256 KiB" });
  try {
    return JSON.parse(new TextDecoder().decode(body)) as unknown;
  } catch {
    throw new OciError("REQUEST_INVALID", { message: "the body is no JSON" });
  }
}

type OutputOf<S> = S extends Schema ? v.InferOutput<S> : undefined;

/** Makes a handler that parses by its description. What `handle` returns is the answer's JSON; undefined is 204. */
export function endpoint<const D extends EndpointDescription>(
  description: D,
  handle: (call: ParsedCall<OutputOf<D["query"]>, OutputOf<D["body"]>>) => Promise<unknown>,
): Endpoint {
  const handler = async (call: Call): Promise<Response> => {
    const query = description.query && parse(description.query, Object.fromEntries(call.url.searchParams));
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
