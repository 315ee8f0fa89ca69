/** So many bytes of manifests a request may hold at once, parsed as well: an isolate has 128 MB for all of its requests. */
const MANIFESTS_MAX_BYTES = 8 * 1024 * 1024;

/** The memory that manifests take which a request holds together, counted before their bytes are read. */
export class ManifestMemory {
  #takenBytes = 0;

  /** What there is still room for. */
  get leftBytes(): number {
    return MANIFESTS_MAX_BYTES - this.#takenBytes;
  }

  /** Counts so many bytes in, and says whether there is room for them. */
  take(bytes: number): boolean {
    this.#takenBytes += bytes;
    return this.#takenBytes <= MANIFESTS_MAX_BYTES;
  }
}
