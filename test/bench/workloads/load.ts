import { createHistogram, performance } from "node:perf_hooks";
import { Client as Connection } from "undici";
import type { Headers } from "../servers/server.ts";

/** Requests that are sent over and over: each connection sends the next when it has the whole answer. */
export interface Load {
  readonly url: string;
  readonly method: "GET" | "HEAD";
  readonly headers: Headers;
  readonly connections: number;
  readonly durationMs: number;
}

/** Sends them; the answers in a second, and how long 99 in 100 took at most. Throws at an answer that is not 200. */
export async function measureLoad(load: Load): Promise<{ rate: number; p99Ms: number }> {
  const latencies = createHistogram();
  const { origin } = new URL(load.url);
  const connections = Array.from({ length: load.connections }, () => new Connection(origin, { pipelining: 1 }));
  const started = performance.now();
  const record = (microseconds: number) => latencies.record(Math.max(1, Math.round(microseconds)));
  await Promise.all(
    connections.map(async (connection) => await useUntil(connection, load, started + load.durationMs, record)),
  );
  const seconds = (performance.now() - started) / 1000;
  await Promise.all(connections.map(async (connection) => await connection.close()));
  return { rate: latencies.count / seconds, p99Ms: latencies.percentile(99) / 1000 };
}

/** The lowest level of undici: a promise and a stream for each request would cost more than the request. */
async function useUntil(
  connection: Connection,
  { url, method, headers }: Load,
  deadline: number,
  record: (microseconds: number) => void,
): Promise<void> {
  const { pathname: path } = new URL(url);
  await new Promise<void>((resolve, reject) => {
    const sendNext = (): void => {
      const sent = performance.now();
      if (sent >= deadline) {
        resolve();
        return;
      }
      // After a HEAD, undici would close the connection, in case the server sends a body all the same.
      const request = { path, method, headers, reset: false };
      connection.dispatch(request, {
        onRequestStart: () => undefined,
        onResponseStart: (_, status) => {
          if (status !== 200) throw new Error(`${method} ${url}: ${status}`);
        },
        onResponseData: () => undefined,
        onResponseEnd: () => {
          record((performance.now() - sent) * 1000);
          sendNext();
        },
        onResponseError: (_, error) => reject(error),
      });
    };
    sendNext();
  });
}
