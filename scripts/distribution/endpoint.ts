import type { Credentials } from "../stowage/credentials.ts";

/** A registry, and who speaks to it. */
export interface Endpoint {
  /** Host and port as people write them: `docker.io`, where the API is elsewhere. */
  readonly host: string;
  /** Where the API is; scheme, host and port alone. */
  readonly url: URL;
  /** Undefined for who comes without any. */
  readonly credentials: Credentials | undefined;
  /** Why there are none, where something went wrong. */
  readonly problem?: string;
}
