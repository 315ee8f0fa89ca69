/** A refusal of the registry, in the words that it gave. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly detail: unknown;

  constructor(status: number, code: string, message: string, detail: unknown) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
    this.detail = detail;
  }
}

/** A refusal is thrown. */
export async function successful(response: Response): Promise<Response> {
  if (response.ok) return response;
  throw await refusalOf(response);
}

/**
 * `fetch`, whose failure is an {@link ApiError} too, unless it was given up.
 * @throws ApiError where the registry cannot be reached; the signal's reason.
 */
export async function reach(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(path, init);
  } catch (error) {
    if (init.signal?.aborted === true) throw error;
    const message = "The registry cannot be reached. Check your connection and try again.";
    throw new ApiError(0, "UNREACHABLE", message, undefined);
  }
}

async function refusalOf(response: Response): Promise<ApiError> {
  const retryAfter = response.headers.get("Retry-After");
  const later = retryAfter === null ? "" : `; try again in ${retryAfter} s`;
  try {
    const { errors } = (await response.json()) as { errors: { code: string; message: string; detail?: unknown }[] };
    const [first] = errors;
    if (first) return new ApiError(response.status, first.code, first.message + later, first.detail);
  } catch {
    // Something between here and the registry answered.
  }
  return new ApiError(response.status, "UNKNOWN", `The registry answered ${response.status}${later}`, undefined);
}
