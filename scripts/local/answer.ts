import { get } from "node:http";
import { text } from "node:stream/consumers";
import { Failure, reasonOf } from "./failure.ts";

const ANSWER_TIMEOUT_MS = 10_000;

/** "Ready" is said of a Worker that has answered, and not that it cannot. (Not by `fetch`, which shuns some ports.) */
export async function checkAnswer(address: string): Promise<void> {
  const { status, body } = await ask(`http://${address}/v2/`);
  if (status >= 500) throw new Failure(`the Worker answers ${status}: ${body.slice(0, 200).trim()}`);
}

async function ask(url: string): Promise<{ status: number; body: string }> {
  return await new Promise((resolve, reject) => {
    const fail = (error: unknown) => reject(new Failure(`the Worker does not answer on ${url}: ${reasonOf(error)}`));
    const request = get(url, { agent: false, signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) }, (response) => {
      text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), fail);
    });
    request.once("error", fail);
  });
}
