import type { Fault, Gate, GateAnswer } from "./gate.ts";

/** Answers with a status, as a registry does that is out of order, or has had enough. */
export function answerWith(status: number, headers: Readonly<Record<string, string>> = {}): Fault {
  return (response) => response.writeHead(status, headers).end();
}

/** Sends the client to where it came from, again and again. */
export const redirectInCircles: Fault = (response, _ask, { path }) => response.writeHead(307, { location: path }).end();

/** Has a storage of its own give what the registry has, at an address that is secret enough. */
export function redirectTo(storage: Gate): Fault {
  const signed = (path: string) => `${path}?signature=secret`;
  const stored = new Map<string, GateAnswer>();
  storage.misbehave("*", /^/, (response, _ask, { path }) => {
    const answer = stored.get(path);
    if (answer === undefined) return response.writeHead(403).end();
    return response.writeHead(200, { "content-length": answer.body.length }).end(answer.body);
  });
  return async (response, ask, { path }) => {
    const answer = await ask();
    if (answer.status !== 200) return response.writeHead(answer.status, answer.headers).end(answer.body);
    stored.set(signed(path), answer);
    return response.writeHead(307, { location: storage.url + signed(path) }).end();
  };
}

/** Never answers. */
export const stall: Fault = () => undefined;

/** Breaks the connection off before it answers. */
export const hangUp: Fault = (response) => response.destroy();

/** Begins, and falls silent in the midst. */
export const stallMidway: Fault = async (response, ask) => {
  const { status, headers, body } = await ask();
  response.writeHead(status, headers).write(body.subarray(0, body.length / 2));
};

/** Breaks off in the midst. */
export const truncate: Fault = async (response, ask) => {
  const { status, headers, body } = await ask();
  response.writeHead(status, headers).write(body.subarray(0, body.length / 2), () => response.destroy());
};

/** Sends as many bytes as there are, the last of which is another. */
export const corrupt: Fault = async (response, ask) => {
  const { status, headers, body } = await ask();
  const last = body.length - 1;
  body.writeUInt8(body.readUInt8(last) ^ 1, last);
  response.writeHead(status, headers).end(body);
};
