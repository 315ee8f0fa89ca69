/**
 * Every error that a client can meet: the codes of the distribution spec ("Error Codes"), those that Docker's registry
 * added to them, and a few of our own where both have none. One table, so that no two places disagree on a status.
 */
const ERROR_CODES = {
  BLOB_UNKNOWN: { status: 404, message: "blob unknown to registry" },
  BLOB_UPLOAD_INVALID: { status: 400, message: "blob upload invalid" },
  BLOB_UPLOAD_UNKNOWN: { status: 404, message: "blob upload unknown to registry" },
  DIGEST_INVALID: { status: 400, message: "provided digest did not match uploaded content" },
  MANIFEST_BLOB_UNKNOWN: { status: 404, message: "manifest references a manifest or blob unknown to registry" },
  MANIFEST_INVALID: { status: 400, message: "manifest invalid" },
  MANIFEST_UNKNOWN: { status: 404, message: "manifest unknown to registry" },
  NAME_INVALID: { status: 400, message: "invalid repository name" },
  NAME_UNKNOWN: { status: 404, message: "repository name not known to registry" },
  SIZE_INVALID: { status: 400, message: "provided length did not match content length" },
  UNAUTHORIZED: { status: 401, message: "authentication required" },
  DENIED: { status: 403, message: "requested access to the resource is denied" },
  UNSUPPORTED: { status: 405, message: "the operation is unsupported" },
  TOOMANYREQUESTS: { status: 429, message: "too many requests" },
  // Docker's registry.
  TAG_INVALID: { status: 400, message: "manifest tag is not valid" },
  RANGE_INVALID: { status: 416, message: "invalid content range" },
  PAGINATION_NUMBER_INVALID: { status: 400, message: "invalid number of results requested" },
  UNAVAILABLE: { status: 503, message: "service unavailable" },
  UNKNOWN: { status: 500, message: "unknown error" },
  // Ours.
  NOT_FOUND: { status: 404, message: "no such endpoint" },
  REQUEST_INVALID: { status: 400, message: "the request is invalid" },
  SESSION_ENDED: { status: 401, message: "the session has ended: sign in again" },
  CONFLICT: { status: 409, message: "the request conflicts with what is there" },
  MANIFEST_TOO_LARGE: { status: 413, message: "manifest is larger than this registry accepts" },
} as const satisfies Record<string, { status: number; message: string }>;

export type ErrorCode = keyof typeof ERROR_CODES;

interface ErrorOptions {
  /** Replaces the code's general message by what is wrong in this case. */
  readonly message?: string;
  /** Machine-readable particulars; goes to the client, so nothing internal. */
  readonly detail?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An error meant for the client. Whatever else is thrown is a defect, and the client learns nothing of it. */
export class OciError extends Error {
  override readonly name = "OciError";
  readonly code: ErrorCode;
  readonly status: number;
  readonly detail: unknown;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ErrorCode, options: ErrorOptions = {}) {
    super(options.message ?? ERROR_CODES[code].message);
    this.code = code;
    this.status = ERROR_CODES[code].status;
    this.detail = options.detail;
    this.headers = options.headers ?? {};
  }

  /** The body of the spec's "Error Codes": `{"errors":[{code, message, detail}]}`. */
  toJSON(): { errors: { code: string; message: string; detail?: unknown }[] } {
    const detail = this.detail === undefined ? {} : { detail: this.detail };
    return { errors: [{ code: this.code, message: this.message, ...detail }] };
  }
}
