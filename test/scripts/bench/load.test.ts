import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { measureLoad } from "../../bench/workloads/load.ts";

/** A server that counts; what is not at `/there` is not there. */
async function startServer() {
  const counts = { connections: 0, requests: 0 };
  const server = createServer((request, response) => {
    counts.requests += 1;
    response.statusCode = request.url === "/there" ? 200 : 404;
    response.setHeader("content-length", "5");
    response.end("hello");
  });
  server.on("connection", () => (counts.connections += 1));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return { counts, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

test.each(["GET", "HEAD"] as const)("%s goes over so many connections, which stay open", async (method) => {
  const { counts, origin } = await startServer();
  const load = { url: `${origin}/there`, method, headers: {}, connections: 3, durationMs: 50 };
  const { rate, p99Ms } = await measureLoad(load);
  expect(counts.connections).toBe(3);
  expect(counts.requests).toBeGreaterThan(3);
  expect(rate).toBeGreaterThan(0);
  // All of them in at least 50 ms, and none longer than it took in all.
  expect(rate).toBeLessThanOrEqual(counts.requests / 0.05);
  expect(p99Ms).toBeGreaterThan(0);
});

test("an answer that is no success is an error", async () => {
  const { origin } = await startServer();
  const load = { url: `${origin}/gone`, method: "GET", headers: {}, connections: 2, durationMs: 50 } as const;
  await expect(measureLoad(load)).rejects.toThrow("GET");
});
