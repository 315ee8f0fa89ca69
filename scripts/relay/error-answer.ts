import { OciError } from "../../src/oci/error.ts";
import type { Interruption } from "../distribution/interruption.ts";
import { reasonOf } from "../local/failure.ts";
import { readErrors } from "../stowage/http.ts";
import { plain } from "../stowage/text.ts";
import type { RawHeaders } from "./headers.ts";
import type { Answer } from "./upstream.ts";

/** The protocol's form of an error (spec, "Error Codes"), for clients to show. */
export function answerError(error: OciError, status: number = error.status, headers: RawHeaders = []): Answer {
  const body = Buffer.from(JSON.stringify(error));
  const own = ["Content-Type", "application/json", "Content-Length", String(body.length)];
  return { status, headers: [...own, ...headers], body };
}

/** When the registry could not be reached, or patience ended: the client may push again. */
export function answerInterruption({ message, waitMs }: Interruption): Answer {
  const headers = waitMs === undefined ? [] : ["Retry-After", String(Math.ceil(waitMs / 1000))];
  return answerError(new OciError("UNAVAILABLE", { message: plain(message) }), undefined, headers);
}

/** What the registry refused, in its own words; those of a proxy before it in ours. */
export function answerRefusal(answer: Answer, refusal: Error): Answer {
  if (readErrors(answer.body.toString()) !== undefined) return answer;
  const message = plain(reasonOf(refusal));
  return answerError(new OciError(answer.status === 413 ? "SIZE_INVALID" : "UNKNOWN", { message }), answer.status);
}
