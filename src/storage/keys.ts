/*
 * The whole layout of the bucket:
 *
 *   blobs/<uuid>      the bytes of a blob, or of an upload that will become one
 *   tails/<uuid>      the bytes of an upload that wait for more
 *   manifests/<uuid>  the bytes of a manifest too big for a row
 *
 * A key is fresh each time and names no content: the database alone knows what lies where. So a deletion can never take
 * bytes that another request has just stored, and an object that no row names is garbage.
 */

export const newBlobKey = (): string => `blobs/${crypto.randomUUID()}`;
export const newTailKey = (): string => `tails/${crypto.randomUUID()}`;
export const newManifestKey = (): string => `manifests/${crypto.randomUUID()}`;
