import * as v from "valibot";
import { isDigest } from "./digest.ts";

/**
 * Image spec, "Descriptor": the properties that matter to a registry; any others are the client's own. A media type is
 * taken as any short text, since artifacts in the wild carry parameters in it.
 */
export const DescriptorSchema = v.object({
  mediaType: v.pipe(v.string(), v.nonEmpty("is empty"), v.maxLength(255, "is longer than 255 characters")),
  digest: v.pipe(v.string(), v.guard(isDigest, "is not a sha256 or sha512 digest")),
  size: v.pipe(v.number(), v.safeInteger("is not a whole number"), v.minValue(0, "is negative")),
});

/** Image spec, "Annotation Rules": a map of strings. */
export const AnnotationsSchema = v.record(v.string(), v.string());
