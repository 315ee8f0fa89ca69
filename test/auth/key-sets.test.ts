import { errors, type JWTHeaderParameters } from "jose";
import { describe, expect, it, onTestFinished } from "vitest";
import { KeySetError, KeySets, type Network } from "../../src/auth/key-sets.ts";
import {
  type Script,
  freshIssuer,
  type IssuerKey,
  makeKey,
  publish,
  REGISTRY_ORIGIN,
  scriptNetwork,
} from "../support/issuer.ts";

const [first, second] = await Promise.all([makeKey("ES256", "first"), makeKey("ES256", "second")]);

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** Looks for the key of this id. */
async function find(
  keySets: KeySets,
  network: Network,
  issuer: string,
  { kid, algorithm }: IssuerKey,
): Promise<unknown> {
  const finder = keySets.finderOf({ network, issuer, registryOrigin: REGISTRY_ORIGIN });
  const header: JWTHeaderParameters = { alg: algorithm, kid };
  return await finder(header, { payload: "", signature: "" });
}

/** Looks for the first key, as a registry that knows nothing yet. */
async function findAfresh(script: Script, issuer: string, timeoutMs = 5_000): Promise<unknown> {
  return await find(new KeySets({ timeoutMs }), scriptNetwork(script), issuer, first);
}

/** A body that comes in pieces for as long as it is read. */
function endless(onCancel: () => void): Response {
  const piece = new TextEncoder().encode(" ".repeat(64 * 1024));
  return new Response(
    new ReadableStream({ pull: (controller) => controller.enqueue(piece), cancel: onCancel }, { highWaterMark: 0 }),
  );
}

const atKeys = (issuer: string, answer: () => Response): Script => {
  const usual = publish(issuer, () => []);
  return (url, signal) => (url === `${issuer}/keys` ? answer() : usual(url, signal));
};

describe("an issuer", () => {
  it("is asked for its metadata, and for its keys where they say", async () => {
    const issuer = freshIssuer();
    const network = scriptNetwork(publish(issuer, () => [first.publicJwk, second.publicJwk]));
    expect(await find(new KeySets(), network, issuer, second)).toMatchObject({ type: "public" });
    expect(network.calls).toEqual([`${issuer}/.well-known/openid-configuration`, `${issuer}/keys`]);
    for (const request of network.requests) {
      expect(request).toMatchObject({ redirect: "manual", headers: { Accept: "application/json" } });
    }
  });

  it("is told from one without its slash", async () => {
    const issuer = freshIssuer();
    const usual = publish(issuer, () => [first.publicJwk], { issuer: `${issuer}/` });
    await expect(findAfresh(usual, issuer)).rejects.toThrow("describes itself as another issuer");
    expect(await findAfresh(usual, `${issuer}/`)).toBeDefined();
  });

  it("of this machine may have its keys there", async () => {
    const issuer = "http://127.0.0.1:9999/realm";
    const script = publish(issuer, () => [first.publicJwk], { jwks_uri: "http://localhost:9999/keys" });
    expect(await findAfresh(script, issuer)).toBeDefined();
  });

  it("that is the registry itself is not asked", async () => {
    const network = scriptNetwork(() => undefined);
    for (const issuer of [REGISTRY_ORIGIN, `${REGISTRY_ORIGIN}/path`, `${REGISTRY_ORIGIN}:443`]) {
      await expect(find(new KeySets(), network, issuer, first)).rejects.toThrow("is this registry itself");
    }
    expect(network.calls).toEqual([]);
  });

  it("is not locked out by a request that comes under its name", async () => {
    const issuer = freshIssuer();
    const network = scriptNetwork(publish(issuer, () => [first.publicJwk]));
    const keySets = new KeySets();
    const itself = keySets.finderOf({ network, issuer, registryOrigin: issuer });
    await expect(itself({ alg: "ES256" }, { payload: "", signature: "" })).rejects.toThrow(KeySetError);
    expect(await find(keySets, network, issuer, first)).toBeDefined();
  });
});

describe("an issuer is refused that", () => {
  const json = (value: unknown) => () => Response.json(value);
  const text = (body: string, init?: ResponseInit) => () => new Response(body, init);
  const many = Array.from({ length: 10_000 }, () => ({ kty: "RSA" }));

  it.each<[string, (issuer: string) => Script, string]>([
    ["has no metadata", () => () => undefined, "answered with status 404"],
    ["fails", () => text("{}", { status: 500 }), "answered with status 500"],
    ["redirects", () => () => Response.redirect("https://elsewhere.example/", 302), "answered with status 302"],
    ["answers in HTML", () => text("<html></html>"), "answered something that is not JSON"],
    ["answers nothing", () => () => new Response(null), "answered something that is not JSON"],
    ["answers a list", () => json([]), "describes itself with no issuer or jwks_uri"],
    ["names no keys", (issuer) => json({ issuer }), "describes itself with no issuer or jwks_uri"],
    ["names keys nowhere", (issuer) => json({ issuer, jwks_uri: "keys" }), "with no issuer or jwks_uri"],
    ["names another issuer", (issuer) => publish(issuer, () => [], { issuer: "https://a.example" }), "another issuer"],
    ["has keys over http", (issuer) => publish(issuer, () => [], { jwks_uri: "http://a.example/" }), "not https"],
    ["has keys here", (issuer) => publish(issuer, () => [], { jwks_uri: "http://127.0.0.1/" }), "that is not https"],
    ["has keys in itself", (issuer) => publish(issuer, () => [], { jwks_uri: "data:,{}" }), "that is not https"],
    [
      "redirects its keys",
      (issuer) => atKeys(issuer, () => Response.redirect("https://a.example/", 307)),
      "status 307",
    ],
    ["has no list of keys", (issuer) => atKeys(issuer, json({ keys: {} })), "no key set"],
    ["has 10,000 keys", (issuer) => atKeys(issuer, json({ keys: many })), "one of too many keys"],
    ["has no key", (issuer) => publish(issuer, () => []), "no public key of a known type"],
    ["has symmetric keys", (issuer) => publish(issuer, () => [{ kty: "oct", k: "AQAB" }]), "no public key"],
    ["shows its private key", (issuer) => publish(issuer, () => [{ ...first.publicJwk, d: "AQAB" }]), "no public key"],
  ])("%s", async (_what, scriptOf, message) => {
    const issuer = freshIssuer();
    const error = await findAfresh(scriptOf(issuer), issuer).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(KeySetError);
    expect((error as Error).message).toContain(`issuer ${issuer} `);
    expect((error as Error).message).toContain(message);
  });

  it("cannot be reached", async () => {
    const unreachable = () => Promise.reject(new TypeError("no route"));
    await expect(findAfresh(unreachable, freshIssuer())).rejects.toThrow("cannot be reached: no route");
  });

  it.each<[string, (issuer: string, answer: () => Response) => Script]>([
    ["its metadata", (_issuer, answer) => answer],
    ["its keys", atKeys],
  ])("answers without end as %s, and is read no further", async (_what, scriptOf) => {
    const issuer = freshIssuer();
    let isCancelled = false;
    const script = scriptOf(issuer, () => endless(() => (isCancelled = true)));
    await expect(findAfresh(script, issuer)).rejects.toThrow("answered more than 262144 bytes");
    expect(isCancelled).toBe(true);
  });

  it("breaks off its answer", async () => {
    const broken = () =>
      new Response(new ReadableStream({ pull: (controller) => controller.error(new Error("gone")) }));
    await expect(findAfresh(broken, freshIssuer())).rejects.toThrow("broke off its answer: gone");
  });

  it.each<[string, (issuer: string) => Script]>([
    ["never answers", () => () => new Promise<never>(() => undefined)],
    ["never ends its answer", () => () => new Response(new ReadableStream())],
    ["answers with its metadata alone", (issuer) => atKeys(issuer, () => new Response(new ReadableStream()))],
    [
      "heeds the signal",
      () => (_url, signal) =>
        new Promise<never>((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason as Error));
        }),
    ],
  ])("%s in time", async (_what, scriptOf) => {
    const issuer = freshIssuer();
    await expect(findAfresh(scriptOf(issuer), issuer, 20)).rejects.toThrow(`${issuer} did not answer within 0.02 s`);
  });
});

describe("keys", () => {
  it("are kept for ten minutes", async () => {
    const issuer = freshIssuer();
    const network = scriptNetwork(publish(issuer, () => [first.publicJwk]));
    const keySets = new KeySets();
    for (const ms of [0, 0, 5 * MINUTE, 5 * MINUTE - 1]) {
      network.pass(ms);
      await find(keySets, network, issuer, first);
    }
    expect(network.calls).toHaveLength(2);
    network.pass(1);
    await find(keySets, network, issuer, first);
    expect(network.calls).toHaveLength(4);
  });

  it("are no longer kept than that, even if the issuer fails", async () => {
    const issuer = freshIssuer();
    const network = scriptNetwork(publish(issuer, () => [first.publicJwk]));
    const keySets = new KeySets();
    await find(keySets, network, issuer, first);
    network.answer(() => undefined);
    network.pass(10 * MINUTE);
    await expect(find(keySets, network, issuer, first)).rejects.toThrow("status 404");
  });

  it("that are unknown are asked for again, but not at once", async () => {
    const issuer = freshIssuer();
    let keys = [first.publicJwk];
    const network = scriptNetwork(publish(issuer, () => keys));
    const keySets = new KeySets();
    await find(keySets, network, issuer, first);
    keys = [second.publicJwk];
    await expect(find(keySets, network, issuer, second)).rejects.toThrow(errors.JWKSNoMatchingKey);
    network.pass(30 * SECOND - 1);
    await expect(find(keySets, network, issuer, second)).rejects.toThrow(errors.JWKSNoMatchingKey);
    expect(network.calls).toHaveLength(2);
    network.pass(1);
    expect(await find(keySets, network, issuer, second)).toBeDefined();
    expect(network.calls).toHaveLength(4);
    await expect(find(keySets, network, issuer, first)).rejects.toThrow(errors.JWKSNoMatchingKey);
    expect(network.calls).toHaveLength(4);
  });

  it("that are made up cause two requests in half a minute, however many they are", async () => {
    const issuer = freshIssuer();
    const network = scriptNetwork(publish(issuer, () => [first.publicJwk]));
    const keySets = new KeySets();
    await find(keySets, network, issuer, first);
    network.pass(MINUTE);
    const lookUps = Array.from({ length: 50 }, async (_, index) => {
      await expect(find(keySets, network, issuer, { ...first, kid: `${index}` })).rejects.toThrow();
    });
    await Promise.all(lookUps);
    expect(network.calls).toHaveLength(4);
  });

  it("that are known stay so while the issuer fails", async () => {
    const issuer = freshIssuer();
    const network = scriptNetwork(publish(issuer, () => [first.publicJwk]));
    const keySets = new KeySets();
    await find(keySets, network, issuer, first);
    network.answer(() => undefined);
    network.pass(MINUTE);
    await expect(find(keySets, network, issuer, second)).rejects.toThrow("status 404");
    expect(await find(keySets, network, issuer, first)).toBeDefined();
  });

  it("that are broken leave the others as they are", async () => {
    const issuer = freshIssuer();
    const broken = [null, {}, { kty: "RSA" }, { kty: "new" }, { ...second.publicJwk, kid: 1 }, { kty: "oct", k: "AQ" }];
    const script = publish(issuer, () => [...broken, { ...first.publicJwk, x5c: ["AQAB"], new: {} }]);
    expect(await findAfresh(script, issuer)).toBeDefined();
  });
});

it("a failure is remembered for half a minute", async () => {
  const issuer = freshIssuer();
  const network = scriptNetwork(() => undefined);
  const keySets = new KeySets();
  for (const ms of [0, 0, 30 * SECOND - 1]) {
    network.pass(ms);
    await expect(find(keySets, network, issuer, first)).rejects.toThrow("status 404");
  }
  expect(network.calls).toHaveLength(1);
  network.answer(publish(issuer, () => [first.publicJwk]));
  network.pass(1);
  expect(await find(keySets, network, issuer, first)).toBeDefined();
});

describe("requests at once", () => {
  it("ask the issuer once", async () => {
    const issuer = freshIssuer();
    const network = scriptNetwork(publish(issuer, () => [first.publicJwk]));
    const keySets = new KeySets();
    const found = await Promise.all(Array.from({ length: 20 }, () => find(keySets, network, issuer, first)));
    expect(new Set(found).size).toBe(1);
    expect(network.calls).toHaveLength(2);
  });

  it("fail together", async () => {
    const issuer = freshIssuer();
    const network = scriptNetwork(() => undefined);
    const keySets = new KeySets();
    const found = await Promise.allSettled(Array.from({ length: 20 }, () => find(keySets, network, issuer, first)));
    expect(found.filter(({ status }) => status === "rejected")).toHaveLength(20);
    expect(network.calls).toHaveLength(1);
  });

  it("to several issuers ask each", async () => {
    const issuers = [freshIssuer(), freshIssuer()];
    const scripts = issuers.map((issuer) => publish(issuer, () => [first.publicJwk]));
    const network = scriptNetwork((url, signal) => scripts[url.startsWith(`${issuers[0]!}/`) ? 0 : 1]!(url, signal));
    const keySets = new KeySets();
    await Promise.all(issuers.map((issuer) => find(keySets, network, issuer, first)));
    expect(network.calls).toHaveLength(4);
  });

  it("do not wait for ever for one whose client went away, and the next one asks anew", async () => {
    const issuer = freshIssuer();
    const network = scriptNetwork(() => new Promise<never>(() => undefined));
    // A request that ends takes its timers with it: the first one's limit never comes.
    const setTimer = globalThis.setTimeout;
    onTestFinished(() => void (globalThis.setTimeout = setTimer));
    globalThis.setTimeout = (() => 0) as unknown as typeof setTimeout;
    const keySets = new KeySets({ timeoutMs: 20 });
    void find(keySets, network, issuer, first);
    await Promise.resolve();
    globalThis.setTimeout = setTimer;
    await expect(find(keySets, network, issuer, first)).rejects.toThrow("did not answer within 0.02 s");
    expect(network.calls).toHaveLength(1);
    network.pass(20);
    network.answer(publish(issuer, () => [first.publicJwk]));
    expect(await find(keySets, network, issuer, first)).toBeDefined();
  });
});

it("remembers a bounded number of issuers, and forgets the one asked longest ago", async () => {
  const [a, b, c] = [freshIssuer(), freshIssuer(), freshIssuer()];
  const scripts = new Map([a, b, c].map((issuer) => [new URL(issuer).host, publish(issuer, () => [first.publicJwk])]));
  const network = scriptNetwork((url, signal) => scripts.get(new URL(url).host)!(url, signal));
  const keySets = new KeySets({ issuersMax: 2 });
  for (const issuer of [a, b, a, c, a]) await find(keySets, network, issuer, first);
  expect(network.calls).toHaveLength(6);
  await find(keySets, network, b, first);
  expect(network.calls).toHaveLength(8);
});
