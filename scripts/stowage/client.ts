import * as v from "valibot";
import { Failure } from "../local/failure.ts";
import type { Credentials } from "./credentials.ts";
import { type Call, decode, send } from "./http.ts";
import type { Registry } from "./registry.ts";

/** The admin API of one registry, for one caller. */
export class Client {
  readonly registry: Registry;
  /** What the caller logged in with. */
  readonly credentials: Credentials;
  readonly #token: string;
  readonly #timeoutMs: number;

  constructor(registry: Registry, credentials: Credentials, token: string, timeoutMs: number) {
    this.registry = registry;
    this.credentials = credentials;
    this.#token = token;
    this.#timeoutMs = timeoutMs;
  }

  /** @throws Refusal, Failure */
  async get<T>(path: string, schema: v.GenericSchema<unknown, T>): Promise<T> {
    return decode(await this.#send({ method: "GET", path }), schema);
  }

  /** The JSON of the answer; null for 204. */
  async change<T>(
    method: "POST" | "PUT" | "PATCH" | "DELETE",
    path: string,
    schema: v.GenericSchema<unknown, T>,
    body?: unknown,
  ): Promise<T> {
    const content = { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
    return decode(await this.#send(body === undefined ? { method, path } : { method, path, ...content }), schema);
  }

  /** What has nothing to answer. */
  async remove(path: string): Promise<null> {
    return await this.change("DELETE", path, v.null());
  }

  /** All pages of a list as one, or as many entries as `limit` wants. `key` is the answer's name for its entries. */
  async list<T>(path: string, key: string, entry: v.GenericSchema<unknown, T>, limit = Infinity): Promise<T[]> {
    const schema = v.object({ [key]: v.array(entry) });
    const entries: T[] = [];
    const seen = new Set<string>();
    let next: string | undefined = limit === Infinity ? path : withParameter(path, "n", String(limit));
    while (next !== undefined && entries.length < limit) {
      if (seen.has(next)) throw new Failure(`the pages of ${path} go in circles: is the registry of another version?`);
      seen.add(next);
      const answer = await this.#send({ method: "GET", path: next });
      entries.push(...(decode(answer, schema)[key] ?? []));
      next = this.#nextPage(answer.headers.link);
    }
    return entries.slice(0, limit);
  }

  async #send(call: Call) {
    const headers = { ...call.headers, Authorization: `Bearer ${this.#token}` };
    return await send(this.registry.url, { ...call, headers }, this.#timeoutMs);
  }

  /** RFC 8288, as far as registries use it: `</api/…?last=…>; rel="next"`. The token goes to no other server. */
  #nextPage(link: string | string[] | undefined): string | undefined {
    const target = /<([^>]*)>\s*;\s*rel="?next"?/.exec(String(link ?? ""))?.[1];
    if (target === undefined) return undefined;
    const { origin } = this.registry.url;
    const url = URL.canParse(target, origin) ? new URL(target, origin) : undefined;
    if (url?.origin !== origin) throw new Failure(`the next page lies elsewhere than on ${origin}: check the address`);
    return url.pathname + url.search;
  }
}

/** A path of the API; each part is one segment. */
export function pathOf(...parts: readonly string[]): string {
  // A URL would take these for the way to another noun.
  const wrong = parts.find((part) => part === "" || part === "." || part === "..");
  if (wrong !== undefined) throw new Failure(`'${wrong}' is no name, nor part of one`, 2);
  return `/api/${parts.map(encodeURIComponent).join("/")}`;
}

/** The path with those of the parameters that are given. */
export function withQuery(path: string, parameters: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given).toString()}`;
}

function withParameter(path: string, name: string, value: string): string {
  return `${path}${path.includes("?") ? "&" : "?"}${new URLSearchParams({ [name]: value }).toString()}`;
}
