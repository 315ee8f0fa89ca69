import { ApiError } from "../api.ts";

/** What is wrong with a form: beside its fields, and of the whole. */
export interface Problems {
  readonly byField: ReadonlyMap<string, string>;
  /** What belongs to no field of the form. */
  readonly rest: Error | undefined;
}

/** A refusal of the page's own, of what the registry could not even be asked; beside the field, as the registry's are. */
export const objection = (path: string, message: string): ApiError =>
  new ApiError(0, "REQUEST_INVALID", message, [{ path, message }]);

/** The field whose name a path is, or begins with: `repositories.1` is in `repositories`. */
export const fieldByPath =
  (fields: readonly string[]) =>
  (path: string): string | undefined =>
    fields.find((field) => path === field || path.startsWith(`${field}.`));

/** Sorts what the registry objects to by the fields of a form; `fieldOf` tells by the path in the request whose it is. */
export function problemsOf(error: Error | undefined, fieldOf: (path: string) => string | undefined): Problems {
  const byField = new Map<string, string>();
  const others: string[] = [];
  for (const { path, message } of detailOf(error)) {
    const field = fieldOf(path);
    if (field === undefined) others.push(path === "" ? message : `${path}: ${message}`);
    else if (!byField.has(field)) byField.set(field, message);
  }
  if (byField.size === 0) return { byField, rest: error };
  return { byField, rest: others.length === 0 ? undefined : new ApiError(0, "REQUEST_INVALID", others.join("; "), []) };
}

interface Objection {
  readonly path: string;
  readonly message: string;
}

function detailOf(error: Error | undefined): Objection[] {
  if (!(error instanceof ApiError)) return [];
  const { detail, code, message } = error;
  if (Array.isArray(detail)) return detail.filter(isObjection);
  // Of a name in the path, the code alone tells.
  return code === "NAME_INVALID" ? [{ path: "name", message }] : [];
}

function isObjection(value: unknown): value is Objection {
  const { path, message } = (value ?? {}) as Partial<Objection>;
  return typeof path === "string" && typeof message === "string";
}
