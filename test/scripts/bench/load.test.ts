import { expect, test } from "vitest";
import { measureLoad } from "../../bench/workloads/load.ts";
import { startServer } from "./support/server.ts";

const DURATION_MS = 50;

test.each(["GET", "HEAD"] as const)("%s goes over so many connections, which stay open", async (method) => {
  let requests = 0;
  const { origin, connections } = await startServer((_, response) => {
    requests += 1;
    response.setHeader("content-length", "5").end("hello");
  });
  const load = { url: `${origin}/there`, method, headers: {}, connections: 3, durationMs: DURATION_MS };
  const { rate, p99Ms } = await measureLoad(load);
  expect(connections()).toBe(3);
  expect(requests).toBeGreaterThan(3);
  expect(rate).toBeGreaterThan(0);
  expect(rate).toBeLessThanOrEqual(requests / (DURATION_MS / 1000));
  expect(p99Ms).toBeGreaterThan(0);
});

test("an answer that is no success is an error", async () => {
  const { origin } = await startServer((_, response) => void response.writeHead(404).end());
  const load = { url: `${origin}/gone`, method: "GET", headers: {}, connections: 2, durationMs: DURATION_MS } as const;
  await expect(measureLoad(load)).rejects.toThrow("404");
});
