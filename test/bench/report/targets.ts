import { type Measured, medianOf, type ServerName } from "./results.ts";

/** A bound on Stowage's figures, or on their ratio to another's in the same run. */
export interface Target {
  readonly title: string;
  /** The ids of the metrics that it is about; each must keep to it. */
  readonly metrics: RegExp;
  readonly against?: ServerName;
  readonly atMost?: number;
  readonly atLeast?: number;
}

export const TARGETS: readonly Target[] = [
  {
    title: "push of a big layer, against a raw write to R2",
    metrics: /^layer(-put)?\.push$/,
    against: "limit",
    atMost: 1.15,
  },
  {
    title: "pull of a big layer, against a raw read of R2",
    metrics: /^layer(-put)?\.pull$/,
    against: "limit",
    atMost: 1.1,
  },
  {
    title: "GET of a manifest by tag, against one D1 query",
    metrics: /^requests\.get-tag\.\d+\.rate$/,
    against: "limit",
    atLeast: 0.6,
  },
  {
    title: "GET of a manifest by digest, against an empty handler",
    metrics: /^requests\.get-digest\.\d+\.rate$/,
    against: "limit",
    atLeast: 0.6,
  },
  {
    title: "push of ten small layers, against distribution 2.8",
    metrics: /^layers\.push$/,
    against: "distribution-2.8",
    atMost: 1.5,
  },
  {
    title: "pull of ten small layers, against distribution 2.8",
    metrics: /^layers\.pull$/,
    against: "distribution-2.8",
    atMost: 1.5,
  },
  { title: "peak memory, in MB", metrics: /^memory\./, atMost: 300 },
];

/** Whether a target was met, by the metric that is furthest from it. Without figures, there is no value. */
export interface Verdict {
  readonly title: string;
  /** `≤ 1.15`. */
  readonly bound: string;
  readonly value?: number;
  /** The metric that has the value. */
  readonly worst?: string;
  readonly met?: boolean;
}

export function judge(target: Target, measured: readonly Measured[]): Verdict {
  const { title, atLeast, atMost } = target;
  const bound = atLeast === undefined ? `≤ ${atMost}` : `≥ ${atLeast}`;
  const values = measured
    .filter(({ metric }) => target.metrics.test(metric.id))
    .map((each) => ({ title: each.metric.title, value: valueOf(target, each) }))
    .filter((each): each is { title: string; value: number } => each.value !== undefined);
  values.sort((a, b) => (atLeast === undefined ? b.value - a.value : a.value - b.value));
  const [worst] = values;
  if (worst === undefined) return { title, bound };
  const met = worst.value <= (atMost ?? Infinity) && worst.value >= (atLeast ?? -Infinity);
  return { title, bound, value: worst.value, worst: worst.title, met };
}

function valueOf({ against }: Target, measured: Measured): number | undefined {
  const own = medianOf(measured, "stowage");
  if (own === undefined || against === undefined) return own;
  const other = medianOf(measured, against);
  return other === undefined ? undefined : own / other;
}
