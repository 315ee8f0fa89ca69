/**
 * Who may use a route of the admin API: anyone, without being looked at; anyone, who is shown what they may see; whoever is logged in; or
 * admins alone.
 */
export type Requirement = "open" | "reader" | "api" | "admin";

/** Every route of the admin API, written down a second time: what each asks of its caller is no accident. */
export const API_ROUTES: readonly (readonly [method: string, path: string, requirement: Requirement])[] = [
  ["GET", "/api/openapi.json", "open"],
  ["GET", "/api/caller", "api"],
  ["GET", "/api/accounts", "admin"],
  ["POST", "/api/accounts", "admin"],
  ["DELETE", "/api/accounts/{name}", "admin"],
  ["PUT", "/api/accounts/{name}/password", "api"],
  ["GET", "/api/tokens", "admin"],
  ["POST", "/api/tokens", "admin"],
  ["DELETE", "/api/tokens/{name}", "admin"],
  ["GET", "/api/policy/rules", "admin"],
  ["POST", "/api/policy/rules", "admin"],
  ["DELETE", "/api/policy/rules", "admin"],
  ["GET", "/api/policy/check", "admin"],
  ["GET", "/api/trust", "admin"],
  ["POST", "/api/trust", "admin"],
  ["DELETE", "/api/trust/{name}", "admin"],
  ["GET", "/api/repositories", "reader"],
  ["GET", "/api/repositories/{name}", "reader"],
  ["PATCH", "/api/repositories/{name}", "admin"],
  ["DELETE", "/api/repositories/{name}", "admin"],
  ["GET", "/api/readme", "reader"],
  ["PUT", "/api/readme", "admin"],
  ["GET", "/api/audit", "admin"],
  ["GET", "/api/tags", "reader"],
  ["GET", "/api/tags/history", "reader"],
  ["GET", "/api/tags/at", "reader"],
  ["GET", "/api/tags/deletion", "reader"],
  ["POST", "/api/tags/restore", "admin"],
  ["POST", "/api/tags/release", "admin"],
  ["POST", "/api/tags/expiry", "admin"],
  ["GET", "/api/collection", "admin"],
  ["POST", "/api/collection", "admin"],
  ["GET", "/api/usage", "admin"],
  ["GET", "/api/usage/history", "admin"],
  ["GET", "/api/retention", "admin"],
  ["POST", "/api/retention/preview", "admin"],
  ["POST", "/api/retention/run", "admin"],
  ["PUT", "/api/retention/{name}", "admin"],
  ["DELETE", "/api/retention/{name}", "admin"],
];
