import * as v from "valibot";

/** Issuers have a handful of keys: the current one, and those before and after it. */
const KEYS_MAX = 100;

const common = {
  kid: v.exactOptional(v.string()),
  use: v.exactOptional(v.string()),
  alg: v.exactOptional(v.string()),
  key_ops: v.exactOptional(v.array(v.string())),
  // The private part. Whoever shows it to us may have shown it to others.
  d: v.exactOptional(v.never()),
};

/** RFC 7518, section 6, and RFC 8037. Symmetric keys (`oct`) are none: who can verify with one can sign with it. */
const KeySchema = v.variant("kty", [
  v.object({ ...common, kty: v.literal("RSA"), n: v.string(), e: v.string() }),
  v.object({ ...common, kty: v.literal("EC"), crv: v.string(), x: v.string(), y: v.string() }),
  v.object({ ...common, kty: v.literal("OKP"), crv: v.string(), x: v.string() }),
]);

const KeySetSchema = v.object({ keys: v.pipe(v.array(v.unknown()), v.maxLength(KEYS_MAX)) });

/** What a key set that is given beforehand must be, in words, for messages. */
export const KEY_SET_ADVICE = `use a JSON Web Key Set of 1 to ${KEYS_MAX} public keys (RSA, EC or OKP)`;

/** A public key that signatures of tokens are verified with. */
export type PublicJsonWebKey = v.InferOutput<typeof KeySchema>;

/** RFC 7517, section 5, of public keys only. */
export interface JsonWebKeySet {
  readonly keys: readonly PublicJsonWebKey[];
}

/**
 * The usable keys of a key set from elsewhere. RFC 7517, section 5: keys of other types, or without a member that they
 * need, SHOULD be ignored. Undefined for what is no key set, or too large a one.
 */
export function usableKeys(value: unknown): JsonWebKeySet | undefined {
  const set = v.safeParse(KeySetSchema, value);
  if (!set.success) return undefined;
  const keys = set.output.keys.flatMap((key) => {
    const parsed = v.safeParse(KeySchema, key);
    return parsed.success ? [parsed.output] : [];
  });
  return { keys };
}

/** The key set that somebody gives beforehand: nothing in it may be unusable. */
export function parseKeySet(value: unknown): JsonWebKeySet | undefined {
  const set = v.safeParse(v.object({ keys: v.pipe(v.array(KeySchema), v.minLength(1), v.maxLength(KEYS_MAX)) }), value);
  return set.success ? set.output : undefined;
}
