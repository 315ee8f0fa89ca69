import type { ReferenceEdge, RemovedTag, RepositoryGraph } from "../../../src/lifecycle/retention/effect.ts";
import type { Digest } from "../../../src/oci/digest.ts";
import type { Tag } from "../../../src/oci/reference.ts";

/** A digest by a letter. */
const digest = (letter: string) => `sha256:${letter}` as Digest;

export interface Drawing {
  readonly tags: Readonly<Record<string, string>>;
  /** Manifest → what it holds: manifests in capitals, blobs in small letters, and ^ before its subject. */
  readonly manifests: Readonly<Record<string, string>>;
  readonly elsewhere?: string;
}

/** The n-th letter's manifest has 2^n bytes, a blob 1000 times as many: sums tell what is in them. */
const sizeOf = (letter: string) => {
  const isBlob = letter >= "a";
  return 2 ** (letter.charCodeAt(0) - (isBlob ? "a" : "A").charCodeAt(0)) * (isBlob ? 1000 : 1);
};

export function draw({ tags, manifests, elsewhere = "" }: Drawing): RepositoryGraph {
  const entries = Object.entries(manifests).map(([name, text]): [string, string, string | undefined] => {
    const [held = "", subject] = text.split("^");
    return [name, held, subject];
  });
  const blobs = new Set(entries.flatMap(([, held]) => Array.from(held).filter((letter) => letter >= "a")));
  return {
    tags: Object.entries(tags).map(([tag, name]) => ({ tag: tag as Tag, digest: digest(name) })),
    manifests: entries.map(([name, , subject]) => ({
      ...{ digest: digest(name), size: sizeOf(name) },
      subject: subject === undefined ? undefined : digest(subject),
    })),
    references: entries.flatMap(([name, held]) =>
      Array.from(held).map((letter): ReferenceEdge => {
        const role = letter >= "a" ? "layer" : "manifest";
        return { manifest: digest(name), role, digest: digest(letter) };
      }),
    ),
    blobs: [...blobs].map((letter) => ({
      ...{ digest: digest(letter), size: sizeOf(letter) },
      isHeldElsewhere: elsewhere.includes(letter),
    })),
  };
}

/** These tags, by the first rule. */
export const removed = (...tags: string[]): RemovedTag[] => tags.map((tag) => ({ tag: tag as Tag, rule: 0 }));

/** The reason of what one of those tags named. */
export const UNTAGGED = "untagged by rule 1";
