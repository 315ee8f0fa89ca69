import { beforeAll, describe, expect, it } from "vitest";
import { API_ROUTES } from "../support/api-routes.ts";
import { expectStatus, sendAnonymously } from "../support/registry.ts";

type Json = Readonly<Record<string, unknown>>;

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required: boolean;
  readonly schema: Json;
}

interface Operation {
  readonly summary: string;
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly required: boolean; readonly content: Readonly<Record<string, { schema: Json }>> };
  readonly responses: Readonly<Record<string, { description: string; content?: Record<string, { schema: Json }> }>>;
  readonly security: readonly Json[];
}

interface Document {
  readonly openapi: string;
  readonly info: Json;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Json; readonly securitySchemes: Json };
}

let document: Document;
beforeAll(async () => {
  const response = await expectStatus(await sendAnonymously("GET", "/api/openapi.json"), 200);
  expect(response.headers.get("Content-Type")).toBe("application/json");
  document = await response.json<Document>();
});

const operations = () =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );

/** Every value of a kind anywhere in the document. */
function* walk(value: unknown, path = ""): Generator<{ path: string; value: Json }, void> {
  if (typeof value !== "object" || value === null) return;
  if (!Array.isArray(value)) yield { path, value: value as Json };
  for (const [key, member] of Object.entries(value)) yield* walk(member, `${path}/${key}`);
}

/** The words of JSON Schema 2020-12 that this document uses. */
const SCHEMA_WORDS = [
  ...["type", "properties", "required", "additionalProperties", "items", "enum", "const", "anyOf", "propertyNames"],
  ...[
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "minItems",
    "maxItems",
    "pattern",
    "format",
    "description",
    "default",
    "$ref",
  ],
];
const TYPES = ["object", "array", "string", "number", "integer", "boolean", "null"];

function checkSchema(schema: Json): void {
  for (const word of Object.keys(schema)) expect(SCHEMA_WORDS).toContain(word);
  if ("type" in schema) for (const type of [schema.type].flat()) expect(TYPES).toContain(type);
  if ("required" in schema) {
    expect(Object.keys(schema.properties as Json)).toEqual(expect.arrayContaining(schema.required as string[]));
  }
  for (const inner of [schema.items, schema.additionalProperties, schema.propertyNames]) {
    if (typeof inner === "object") checkSchema(inner as Json);
  }
  for (const inner of [...Object.values((schema.properties ?? {}) as Json), ...((schema.anyOf ?? []) as Json[])]) {
    checkSchema(inner as Json);
  }
}

describe("the OpenAPI document", () => {
  it("is one of 3.1", () => {
    expect(document.openapi).toMatch(/^3\.1\.\d+$/);
    expect(document.info).toMatchObject({ title: expect.any(String) as string, version: expect.any(String) as string });
    expect(Object.keys(document).toSorted()).toEqual(["components", "info", "openapi", "paths"]);
    for (const path of Object.keys(document.paths)) expect(path).toMatch(/^\/api\/[a-z{}./]+$/);
  });

  it("has every route of the admin API, and no other", () => {
    const described = operations().map(({ method, path }) => `${method.toUpperCase()} ${path}`);
    expect(described.toSorted()).toEqual(API_ROUTES.map(([method, path]) => `${method} ${path}`).toSorted());
  });

  it("says of each operation what it does, what it answers, and who may", () => {
    for (const { method, path, operation } of operations()) {
      const [, , requirement] = API_ROUTES.find(([one, at]) => one === method.toUpperCase() && at === path)!;
      expect(operation.summary, path).toMatch(/^[A-Z].*\.$/);
      expect(Object.keys(operation.responses), path).toContain("default");
      expect(Object.keys(operation.responses).some((status) => /^20[014]$/.test(status))).toBe(true);
      const credentials = [{ basic: [] }, { bearer: [] }];
      const security = { open: [], reader: [{}, ...credentials], api: credentials, admin: credentials }[requirement];
      expect(operation.security, path).toEqual(security);
      for (const { description } of Object.values(operation.responses)) expect(description).not.toBe("");
    }
  });

  it("names every security scheme that it asks for, and every schema that it refers to", () => {
    const schemes = Object.keys(document.components.securitySchemes);
    for (const { operation } of operations()) {
      for (const one of operation.security) expect(schemes).toEqual(expect.arrayContaining(Object.keys(one)));
    }
    const references = [...walk(document)].flatMap(({ value }) => (typeof value.$ref === "string" ? [value.$ref] : []));
    expect(references.length).toBeGreaterThan(0);
    for (const reference of references) {
      const found = reference
        .replace(/^#\//, "")
        .split("/")
        .reduce<unknown>((at, key) => (at as Json)[key], document);
      expect(found, reference).toBeTypeOf("object");
    }
  });

  it("has a parameter for each part of a path, and each parameter once", () => {
    for (const { path, operation } of operations()) {
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const { parameters } = operation;
      expect(parameters.filter((one) => one.in === "path").map(({ name }) => name)).toEqual(inPath);
      for (const parameter of parameters) {
        expect(["path", "query"]).toContain(parameter.in);
        expect(typeof parameter.required).toBe("boolean");
        checkSchema(parameter.schema);
      }
      expect(new Set(parameters.map(({ name }) => name)).size).toBe(parameters.length);
    }
  });

  it("has bodies and answers in plain JSON Schema, objects with all their members", () => {
    for (const { path, method, operation } of operations()) {
      const isBare = ["/api/collection", "/api/mirror/{name}/check"].includes(path);
      const hasBody = ["post", "put", "patch"].includes(method) && !isBare;
      expect(operation.requestBody !== undefined, `${method} ${path}`).toBe(hasBody);
      const contents = [
        operation.requestBody?.content,
        ...Object.values(operation.responses).map(({ content }) => content),
      ];
      for (const content of contents) {
        if (content === undefined) continue;
        expect(Object.keys(content)).toEqual(["application/json"]);
        checkSchema(content["application/json"]!.schema);
      }
      const answer = operation.responses["200"] ?? operation.responses["201"];
      if (path !== "/api/openapi.json" && answer) {
        expect(answer.content!["application/json"]!.schema, path).toMatchObject({ type: "object" });
      }
    }
    checkSchema(document.components.schemas.Errors as Json);
  });

  it("says what bodies hold before they are parsed", () => {
    const schemaOf = (path: string, method: string) =>
      document.paths[path]![method]!.requestBody!.content["application/json"]!.schema as {
        properties: Json;
        required: string[];
        additionalProperties: unknown;
      };
    const token = schemaOf("/api/tokens", "post");
    expect(token.required.toSorted()).toEqual(["actions", "expires", "name", "repositories"]);
    expect(token.properties.expires).toMatchObject({ type: "string" });
    expect(token.properties.actions).toMatchObject({ type: "array", items: { enum: ["pull", "push", "delete"] } });
    expect(token.additionalProperties).toBe(false);
    expect(schemaOf("/api/accounts", "post").required).toEqual(["name"]);
    expect(schemaOf("/api/accounts", "post").properties.password).toMatchObject({ minLength: 12, maxLength: 256 });
    expect(schemaOf("/api/trust", "post").properties.claims).toMatchObject({
      additionalProperties: { type: "string" },
    });
    expect(schemaOf("/api/repositories/{name}", "patch").properties.visibility).toMatchObject({
      enum: ["public", "private"],
    });
  });

  it("says which answers have no content", () => {
    expect(Object.keys(document.paths["/api/policy/rules"]!.delete!.responses)).toEqual(["200", "204", "default"]);
    expect(document.paths["/api/accounts/{name}"]!.delete!.responses["204"]).not.toHaveProperty("content");
  });
});
