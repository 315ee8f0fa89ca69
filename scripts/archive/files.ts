/** What an archive consists of, by its paths. */
export interface ArchiveFiles {
  /** As the operator calls it. */
  readonly title: string;
  /** Undefined where there is no such file. */
  find(path: string): Promise<ArchiveFile | undefined>;
  close(): Promise<void>;
}

export interface ArchiveFile {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** Its bytes, from an offset on. */
  open(offset: number): AsyncIterable<Uint8Array>;
}
