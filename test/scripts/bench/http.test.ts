import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { Content } from "../../bench/workloads/content.ts";
import { Connections, drain } from "../../bench/workloads/http.ts";
import { startServer } from "./support/server.ts";

const blob = new Content(100_000).layer(100_000);

test.each([
  ["chunked", {}, "chunked"],
  ["with its length, where that is given", { "content-length": "100000" }, "100000"],
])("a body goes %s, and whole", async (_, headers, framing) => {
  const { origin } = await startServer((request, response) => {
    const { "transfer-encoding": encoding = "", "content-length": length = "" } = request.headers;
    void text(request.setEncoding("latin1")).then((body) => response.end(`${encoding}${length} ${body.length}`));
  });
  const connections = new Connections(origin, 1);
  const response = await connections.send({ method: "PATCH", path: "/", headers, body: blob, expected: [200] });
  expect(await response.body.text()).toBe(`${framing} 100000`);
  await connections.close();
});

test("so many connections do, and are used again, after a HEAD too", async () => {
  const { origin, connections: opened } = await startServer((_, response) => response.end("hello"));
  const connections = new Connections(origin, 2);
  for (let time = 0; time < 10; time += 1) {
    expect(await drain(await connections.send({ method: "HEAD", path: "/", expected: [200] }))).toBe(0);
    expect(await drain(await connections.send({ method: "GET", path: "/", expected: [200] }))).toBe(5);
  }
  await connections.close();
  expect(opened()).toBeLessThanOrEqual(2);
});

test("a request whose connection breaks before the answer is sent once more, whole, and counted", async () => {
  const bodies: number[] = [];
  const { origin } = await startServer((request, response) => {
    void text(request.setEncoding("latin1")).then((body) => {
      bodies.push(body.length);
      if (bodies.length === 1) request.socket.destroy();
      else response.writeHead(201).end();
    });
  });
  const connections = new Connections(origin, 1);
  await drain(await connections.send({ method: "PUT", path: "/", body: blob, expected: [201] }));
  expect(connections.broken).toBe(1);
  expect(bodies).toEqual([100_000, 100_000]);
  await connections.close();
});

test("another status than those that are right is an error, with what the server said", async () => {
  const { origin } = await startServer((_, response) => void response.writeHead(500).end("no"));
  const connections = new Connections(origin, 1);
  await expect(connections.send({ method: "GET", path: "/a", expected: [200] })).rejects.toThrow("GET /a: 500 no");
  await connections.close();
});
