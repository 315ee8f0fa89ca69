import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { ALICE } from "../distribution/support/connection.ts";
import { startMemoryRegistry, USER } from "../distribution/support/memory-registry.ts";
import { send } from "../support/http.ts";
import { hasBlob, open, push, PUSHES, type StartedRelay, startRelay } from "./support/relay.ts";

const basic = (username: string, password: string) =>
  `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
const SCOPE = "/token?service=memory&scope=repository:team/web:pull,push";

async function askToken(relay: StartedRelay, headers: Record<string, string> = {}) {
  const { status, body } = await send(new URL(`${SCOPE}&offline_token=true`, relay.url), { method: "GET", headers });
  const { token = "" } = status === 200 ? (JSON.parse(body.toString()) as { token?: string }) : {};
  return { status, authorization: `Bearer ${token}` };
}

describe("a relay with credentials of its own", () => {
  test.for<readonly [who: string, headers: Record<string, string>, sent: string | undefined]>([
    ["nobody", {}, basic(USER.username, USER.password)],
    ["nobody, as Docker says it", { authorization: basic("", "") }, basic(USER.username, USER.password)],
    ["somebody", { authorization: basic("bob", "his own") }, basic("bob", "his own")],
    ["a page of a browser", { origin: "https://evil.example.org" }, undefined],
    ["a page that says less", { "sec-fetch-site": "cross-site" }, undefined],
  ])("asks for a token of %s with the right ones", async ([, headers, sent]) => {
    const registry = await startMemoryRegistry({ auth: "bearer" });
    const relay = await startRelay(registry, { lent: ALICE });
    await askToken(relay, headers);
    const [asked] = registry.requests.filter(({ line }) => line.startsWith("GET /token"));
    expect(asked?.headers.authorization).toBe(sent);
    // What would outlast the relay is for those alone who log in.
    expect(asked?.line.includes("offline_token")).toBe(sent !== basic(USER.username, USER.password));
  });

  test("sends nothing that a client did not send, but in its requests for tokens", async () => {
    const registry = await startMemoryRegistry({ auth: "bearer" });
    const relay = await startRelay(registry, { lent: ALICE });
    const url = new URL("/v2/team/web/blobs/uploads/", relay.url);
    expect((await send(url, { method: "POST" })).status).toBe(401);
    expect(registry.requests.map(({ headers }) => headers.authorization)).toEqual([undefined]);
  });

  test("lends nothing where it has nothing to lend", async () => {
    const registry = await startMemoryRegistry({ auth: "bearer" });
    const relay = await startRelay(registry);
    await askToken(relay);
    expect(registry.requests[0]?.headers.authorization).toBeUndefined();
  });

  test("refuses forms without end", async () => {
    const relay = await startRelay(await startMemoryRegistry());
    const body = randomBytes(100_000);
    expect((await send(new URL("/token", relay.url), { method: "POST", body })).status).toBe(400);
  });
});

describe("a token that ends", () => {
  test.for(PUSHES)("in the midst of a $method (chunked: $isChunked) is renewed as it was asked for", async (how) => {
    const registry = await startMemoryRegistry({ auth: "bearer", tokenTtl: 300 });
    const relay = await startRelay(registry, { chunkBytes: 50_000 });
    const { authorization } = await askToken(relay, { authorization: basic(USER.username, USER.password) });
    const bytes = randomBytes(220_000);
    const location = await open(relay, { authorization });
    let patches = 0;
    registry.fault = ({ line, headers }) =>
      line.startsWith("PATCH") && ++patches >= 3 && headers.authorization === authorization
        ? { status: 401 }
        : undefined;
    await push(location, bytes, { ...how, headers: { authorization } });
    expect(hasBlob(registry, bytes)).toBe(true);
    const tokens = registry.requests.filter(({ line }) => line.startsWith("GET /token"));
    expect(tokens.map(({ headers }) => headers.authorization)).toEqual(
      Array(2).fill(basic(USER.username, USER.password)),
    );
  });

  test("is renewed before it ends", async () => {
    const registry = await startMemoryRegistry({ auth: "bearer", tokenTtl: 20 });
    const relay = await startRelay(registry, { chunkBytes: 50_000, lent: ALICE });
    const { authorization } = await askToken(relay);
    const location = await open(relay, { authorization });
    const bytes = randomBytes(100_000);
    await push(location, bytes, { method: "PUT", isChunked: false, headers: { authorization } });
    const sent = registry.requests.filter(({ line }) => line.startsWith("PATCH"));
    expect(sent.some(({ headers }) => headers.authorization === authorization)).toBe(false);
    expect(hasBlob(registry, bytes)).toBe(true);
  });

  test("and that the relay has not seen is the client's to renew", async () => {
    const registry = await startMemoryRegistry({ auth: "bearer" });
    const relay = await startRelay(registry, { lent: ALICE });
    const location = new URL("/v2/team/web/blobs/uploads/1", relay.url);
    const headers = { authorization: "Bearer of another place" };
    const [answer] = await push(location, randomBytes(10), { method: "PATCH", isChunked: false, headers });
    expect(answer?.status).toBe(401);
    expect(answer?.headers["www-authenticate"]).toContain(relay.url.origin);
  });
});
