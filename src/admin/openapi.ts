import { toJsonSchema } from "@valibot/to-json-schema";
import * as v from "valibot";
import type { Handler } from "../protocol/call.ts";
import { endpoint, type Endpoint, type EndpointDescription } from "./endpoint.ts";

/** A route of the table, as far as the document shows it. */
export interface DescribedRoute {
  readonly method: string;
  readonly path: string;
  /** What it asks of its caller, in a word. */
  readonly requirement: string;
  readonly handler: Handler | Endpoint;
}

type JsonSchema = Record<string, unknown>;

/** What comes in: of values that are transformed, the shape before. */
const schemaOf = (schema: v.GenericSchema | v.GenericSchemaAsync, typeMode: "input" | "output"): JsonSchema => {
  const schemaWithDialect = toJsonSchema(schema as v.GenericSchema, { typeMode, errorMode: "ignore" });
  return Object.fromEntries(Object.entries(schemaWithDialect).filter(([key]) => key !== "$schema"));
};

const json = (schema: JsonSchema) => ({ content: { "application/json": { schema } } });

function parametersOf(path: string, { query }: EndpointDescription): object[] {
  const inPath = [...path.matchAll(/:(\w+)\+?/g)].map(([, name]) => ({
    ...{ name, in: "path", required: true, schema: { type: "string" } },
  }));
  if (!query) return inPath;
  const { properties = {}, required = [] } = schemaOf(query, "input") as {
    properties?: Record<string, JsonSchema>;
    required?: string[];
  };
  const inQuery = Object.entries(properties).map(([name, { description, ...schema }]) => ({
    ...{ name, in: "query", required: required.includes(name), description, schema },
  }));
  return [...inPath, ...inQuery];
}

/** What is said of an operation beside its summary, by what it asks of its caller. */
const NOTES: Readonly<Record<string, string>> = {
  admin: "For admins.",
  reader: "For everybody: of repositories that the caller may not pull, it knows nothing.",
};

function securityOf(requirement: string): object[] {
  if (requirement === "open") return [];
  // An empty one: credentials need not be sent.
  return [...(requirement === "reader" ? [{}] : []), { basic: [] }, { bearer: [] }];
}

function operationOf({ path, requirement, handler }: DescribedRoute & { handler: Endpoint }): object {
  const { description } = handler;
  const { summary, body, answer, empty, status = 200 } = description;
  return {
    summary,
    ...(requirement in NOTES && { description: NOTES[requirement] }),
    parameters: parametersOf(path, description),
    ...(body && { requestBody: { required: true, ...json(schemaOf(body, "input")) } }),
    responses: {
      [status]: { description: "Done.", ...(answer && json(schemaOf(answer, "output"))) },
      ...(empty !== undefined && { 204: { description: empty } }),
      default: { description: "Refused: the errors say why.", ...json({ $ref: "#/components/schemas/Errors" }) },
    },
    security: securityOf(requirement),
  };
}

const ERRORS = {
  type: "object",
  required: ["errors"],
  properties: {
    errors: {
      type: "array",
      items: {
        type: "object",
        required: ["code", "message"],
        properties: { code: { type: "string" }, message: { type: "string" }, detail: {} },
      },
    },
  },
};

/** The OpenAPI 3.1 document of those routes that describe themselves, made of what they parse by. */
function describeApi(routes: readonly DescribedRoute[]): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    const { method, path, handler } = route;
    if (!("description" in handler)) continue;
    const key = path.replace(/:(\w+)\+?/g, "{$1}");
    paths[key] = { ...paths[key], [method]: operationOf({ ...route, handler }) };
  }
  const bearer = {
    ...{ type: "http", scheme: "bearer" },
    description: "A token that /token gives for the scope registry:api:*, or an access token.",
  };
  return {
    openapi: "3.1.0",
    info: { title: "Stowage admin API", version: "1", description: "Who may do what, and what is stored." },
    paths,
    components: { schemas: { Errors: ERRORS }, securitySchemes: { basic: { type: "http", scheme: "basic" }, bearer } },
  };
}

/** The endpoint that gives the document, itself included. `routes` is asked when it is called: it is one of them. */
export function openApi(routes: () => readonly DescribedRoute[]): Endpoint {
  return endpoint(
    { summary: "Describes this API as an OpenAPI 3.1 document.", answer: v.looseObject({ openapi: v.string() }) },
    // eslint-disable-next-line @typescript-eslint/require-await -- a handler
    async () => describeApi(routes()),
  );
}
