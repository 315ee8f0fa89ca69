/** The median; undefined of nothing. */
export function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return low === undefined || high === undefined ? undefined : (low + high) / 2;
}

/** Three figures: `0.123`, `12.3`, `1,234`. */
export function formatFigure(value: number): string {
  return value.toLocaleString("en", {
    maximumFractionDigits: Math.max(0, 2 - Math.floor(Math.log10(Math.max(value, 0.001)))),
  });
}
