import { type ErrorCode, OciError } from "../oci/error.ts";

/**
 * Why an upstream gives nothing: it has none of this (unknown); it does not let us have it, or does not say whether it has any (refused);
 * it has had enough of us (limited); it is out of order, cannot be reached, or does not keep to the protocol (unavailable).
 */
export type UpstreamProblem = "unknown" | "refused" | "limited" | "unavailable";

/** How long a client should wait before it asks again, where the upstream does not say. */
const RETRY_SECONDS = 10;

/** What an upstream's answer, or silence, came to. The message is for clients: it names the upstream, and no secret. */
export class UpstreamError extends Error {
  override readonly name = "UpstreamError";
  readonly problem: UpstreamProblem;
  /** Seconds after which the upstream may be asked again, if it says so. */
  readonly retryAfter: number | undefined;

  constructor(
    problem: UpstreamProblem,
    message: string,
    options: ErrorOptions & { retryAfter?: number | undefined } = {},
  ) {
    super(message, options);
    this.problem = problem;
    this.retryAfter = options.retryAfter;
  }
}

/** The error that a client meets where there is nothing to give it instead. */
export function toOciError(
  { problem, message, retryAfter = RETRY_SECONDS }: UpstreamError,
  unknown: ErrorCode,
): OciError {
  if (problem === "unknown" || problem === "refused") return new OciError(unknown, { message });
  const headers = { "Retry-After": String(retryAfter) };
  return new OciError(problem === "limited" ? "TOOMANYREQUESTS" : "UNAVAILABLE", { message, headers });
}
