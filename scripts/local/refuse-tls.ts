import type { Socket } from "node:net";

/** The first byte of a TLS connection: a record that begins a handshake (RFC 8446, section 5.1). */
const TLS_HANDSHAKE = 0x16;

/** What Go's servers say to it, and thus what container clients know: they go on to plain HTTP at once. */
const NOT_TLS = "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTPS request to an HTTP server.\n";

/**
 * Says at once to who begins with TLS that there is none: podman, skopeo, buildah and Docker try it first on every registry.
 * Others are handed on, with their first bytes.
 */
export function refuseTls(client: Socket, handOn: (first: Buffer) => void): void {
  client.once("error", () => client.destroy());
  client.once("data", (first: Buffer) => {
    if (first[0] === TLS_HANDSHAKE) client.end(NOT_TLS);
    else handOn(first);
  });
}
