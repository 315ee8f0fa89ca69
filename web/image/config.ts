import * as v from "valibot";

// Image spec, "Image Configuration", and Docker's, which is its ancestor. The registry keeps whatever clients push as configs.

const Text = v.fallback(v.optional(v.pipe(v.string(), v.nonEmpty())), undefined);
const Texts = v.fallback(v.optional(v.array(v.string())), undefined);
/** Go's sets: `{"80/tcp": {}}`. */
const Names = v.fallback(v.pipe(v.record(v.string(), v.unknown()), v.transform(Object.keys)), []);
/** Docker took one text for a list of one. */
const Command = v.fallback(
  v.optional(
    v.union([
      v.array(v.string()),
      v.pipe(
        v.string(),
        v.transform((text) => [text]),
      ),
    ]),
  ),
  undefined,
);

const HealthcheckSchema = v.object({
  Test: Texts,
  /** Nanoseconds, as all times of it. */
  Interval: v.fallback(v.optional(v.number()), undefined),
  Timeout: v.fallback(v.optional(v.number()), undefined),
  StartPeriod: v.fallback(v.optional(v.number()), undefined),
  Retries: v.fallback(v.optional(v.number()), undefined),
});

const RunSchema = v.object({
  User: Text,
  WorkingDir: Text,
  StopSignal: Text,
  Entrypoint: Command,
  Cmd: Command,
  Env: v.fallback(v.array(v.string()), []),
  Labels: v.fallback(v.record(v.string(), v.string()), {}),
  ExposedPorts: Names,
  Volumes: Names,
  Healthcheck: v.fallback(v.optional(HealthcheckSchema), undefined),
});

const HistorySchema = v.object({
  created: Text,
  created_by: Text,
  author: Text,
  comment: Text,
  empty_layer: v.fallback(v.optional(v.boolean(), false), false),
});

const ConfigSchema = v.object({
  created: Text,
  author: Text,
  os: Text,
  architecture: Text,
  variant: Text,
  "os.version": Text,
  config: v.fallback(RunSchema, v.parse(RunSchema, {})),
  history: v.fallback(v.array(HistorySchema), []),
});

/** What an image runs as, and how it was made. */
export type ImageConfig = v.InferOutput<typeof ConfigSchema>;

/** One entry of a config's history. */
export type HistoryEntry = ImageConfig["history"][number];

export type Healthcheck = v.InferOutput<typeof HealthcheckSchema>;

/** Reads a config. What is not as it should be counts as absent; undefined for what is no JSON object. */
export function parseImageConfig(text: string): ImageConfig | undefined {
  try {
    const parsed = v.safeParse(ConfigSchema, JSON.parse(text));
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined;
  }
}

/** `PATH=/bin` → its name and value. */
export function splitVariable(variable: string): readonly [name: string, value: string] {
  const at = variable.indexOf("=");
  return at < 0 ? [variable, ""] : [variable.slice(0, at), variable.slice(at + 1)];
}

/** A command as a Dockerfile writes it. */
export const formatCommand = (command: readonly string[]): string => JSON.stringify(command).replaceAll('","', '", "');

/** A healthcheck in one line: `curl -f http://localhost/ (every 30s, timeout 5s, 3 retries)`. */
export function formatHealthcheck({ Test = [], Interval, Timeout, StartPeriod, Retries }: Healthcheck): string {
  const [kind, ...words] = Test;
  if (kind === "NONE") return "none";
  const details = [
    ["every", Interval],
    ["timeout", Timeout],
    ["after", StartPeriod],
  ].flatMap(([name, time]) => (typeof time === "number" && time > 0 ? [`${name ?? ""} ${time / 1e9} s`] : []));
  if (Retries !== undefined && Retries > 0) details.push(Retries === 1 ? "1 retry" : `${Retries} retries`);
  const command = kind === "CMD" ? formatCommand(words) : words.join(" ");
  return details.length === 0 ? command : `${command} (${details.join(", ")})`;
}
