/** How much is measured, and how often. Sizes in bytes, of 1,000,000 to the MB. */
export interface Plan {
  readonly rounds: number;
  /** Whether a round goes before them that does not count. */
  readonly warmUp: boolean;
  readonly layerBytes: number;
  readonly smallLayers: { readonly count: number; readonly bytes: number };
  readonly images: number;
  readonly clients: number;
  readonly connections: readonly number[];
  /** How long requests are counted. */
  readonly requestsMs: number;
}

export const FULL: Plan = {
  rounds: 5,
  warmUp: true,
  layerBytes: 300_000_000,
  smallLayers: { count: 10, bytes: 2_000_000 },
  images: 100,
  clients: 8,
  connections: [1, 16, 64],
  requestsMs: 2_000,
};

/** Shows in half a minute that all of it runs; its figures mean little. */
export const QUICK: Plan = {
  rounds: 1,
  warmUp: false,
  layerBytes: 8_000_000,
  smallLayers: { count: 10, bytes: 100_000 },
  images: 5,
  clients: 8,
  connections: [16],
  requestsMs: 200,
};

/** `300 MB`. */
export function formatMb(bytes: number): string {
  return `${bytes / 1_000_000} MB`;
}
