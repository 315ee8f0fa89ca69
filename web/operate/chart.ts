/** A value at a time. */
export interface Point {
  /** Milliseconds. */
  readonly time: number;
  readonly value: number;
}

/** A line in a square of 100 by 100, whose zero is at the bottom. */
export interface Line {
  readonly path: string;
  /** The line with what is below it. */
  readonly area: string;
  /** What the top stands for. */
  readonly top: number;
}

/** The least of 1, 2 and 5, with zeros, that is not below a value. */
export function roundUp(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5].find((step) => step * power >= value) ?? 10) * power;
}

/** Draws points, which come in their order. One alone is a line from edge to edge. */
export function lineOf(points: readonly Point[]): Line {
  const [first, last] = [points[0], points.at(-1)];
  const top = roundUp(Math.max(0, ...points.map(({ value }) => value)));
  if (first === undefined || last === undefined) return { path: "", area: "", top };
  const span = last.time - first.time;
  const drawn = span === 0 ? [first, { ...first, time: first.time + 1 }] : points;
  const place = ({ time, value }: Point) =>
    `${short(((time - first.time) / (span || 1)) * 100)},${short(100 - (value / top) * 100)}`;
  const path = `M${drawn.map(place).join("L")}`;
  return { path, area: `${path}L100,100L0,100Z`, top };
}

const short = (value: number): number => Number(value.toFixed(2));
