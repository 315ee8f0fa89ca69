import * as v from "valibot";

/**
 * Image spec, "Image Configuration", and Docker's, which is its ancestor: the value of a label. Undefined where there is none,
 * or no config: the registry keeps what clients push as configs, and objects to nothing in them.
 */
export function readLabel(bytes: Uint8Array, label: string): string | undefined {
  const schema = v.object({ config: v.object({ Labels: v.object({ [label]: v.string() }) }) });
  try {
    const parsed = v.safeParse(schema, JSON.parse(new TextDecoder().decode(bytes)));
    return parsed.success ? parsed.output.config.Labels[label] : undefined;
  } catch {
    return undefined;
  }
}
