/** Who does something, as records name it. */
export interface Actor {
  /** A subject (`account:alice`, `token:ci`); for the identity of another issuer, with its own name: `oidc:github:repo:…`. */
  readonly name: string;
  /** By what it proved that: `password`, `token <id>`, `oidc <issuer>`. No secret. */
  readonly credential: string;
}
