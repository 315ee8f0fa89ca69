const UNITS = { "": 1, KB: 1e3, MB: 1e6, GB: 1e9 } as const;

/** `100MB`, `5GB`, `64kB`, or a number of bytes → bytes. Undefined for anything else. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d{1,9})([KMG]B)?$/.exec(text.trim().toUpperCase());
  return match ? Number(match[1]) * UNITS[(match[2] ?? "") as keyof typeof UNITS] : undefined;
}
