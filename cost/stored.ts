/** Bytes of a layer, where nothing tells how large they are. */
const USUAL_LAYER_BYTES = 30_000_000;

/** What a database takes for what it says of an object: docs/scale.md. */
const DATABASE_BYTES_PER_OBJECT = 1_400;

/** Bytes of a layer of what is stored: the mean of the objects, or what is usual where there are none. */
export function layerBytesOf({ bytes, objects }: { readonly bytes: number; readonly objects: number }): number {
  return objects === 0 ? USUAL_LAYER_BYTES : Math.round(bytes / objects);
}

/** Bytes of the database of a registry that stores so much, by layers of this size. */
export function databaseBytesOf(storedBytes: number, layerBytes: number): number {
  return Math.ceil(storedBytes / Math.max(layerBytes, 1)) * DATABASE_BYTES_PER_OBJECT;
}
