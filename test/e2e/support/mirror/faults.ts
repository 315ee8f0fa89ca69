import type { Fault } from "./gate.ts";

/** Answers with a status, as a registry does that is out of order, or has had enough. */
export function answerWith(status: number, headers: Readonly<Record<string, string>> = {}): Fault {
  return (response) => response.writeHead(status, headers).end();
}

/** Sends the client elsewhere: to the same path there. */
export function redirectTo(origin: string): Fault {
  return (response, _ask, { path }) => response.writeHead(307, { location: origin + path }).end();
}

/** Never answers. */
export const stall: Fault = () => undefined;

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

/** Sends as many bytes as there are, of which one is another. */
export const corrupt: Fault = async (response, ask) => {
  const { status, headers, body } = await ask();
  const last = body.length - 1;
  body.writeUInt8(body.readUInt8(last) ^ 1, last);
  response.writeHead(status, headers).end(body);
};
