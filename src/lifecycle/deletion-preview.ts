import type { Context } from "../context.ts";
import {
  findSurroundings,
  type FoundSurroundings,
  type Surroundings,
  type SurroundingsLimits,
} from "../metadata/deletion-preview.ts";
import type { Digest } from "../oci/digest.ts";
import { OciError } from "../oci/error.ts";
import type { Reference, Tag } from "../oci/reference.ts";
import { assertDeleted, foundOr } from "../registry/blobs.ts";
import { actionsIn, type Asker } from "../registry/reading.ts";
import { type Effect, effectOf, type RepositoryGraph } from "./retention/effect.ts";

/** Far more than an index and its referrers have; an answer takes a second of the database at most. */
const LIMITS: SurroundingsLimits = { manifests: 5_000, references: 50_000 };

/** What comes of a deletion, once collection has taken what nothing needs any more. */
export interface DeletionPreview {
  readonly tags: readonly Tag[];
  readonly manifests: Effect["manifests"];
  /** Of these manifests, and of the blobs that no other manifest needs: of any repository for who sees all, else of this one. */
  readonly bytes: number;
}

/** No tag has such a name: it stands for whatever holds a manifest, and for what is to go. */
const holderOf = (digest: Digest) => `@${digest}` as Tag;
const DOOMED = "@" as Tag;

/**
 * What would go with a tag, or with a manifest and all its tags, for someone who may see it or not. Changes nothing. One D1 round trip.
 * @throws OciError NAME_UNKNOWN, MANIFEST_UNKNOWN; DENIED for who may not delete; UNSUPPORTED where an index lists the manifest, which then cannot be deleted,
 * or where too much lives by it to be counted.
 */
export async function previewDeletion({ db }: Context, asker: Asker, reference: Reference): Promise<DeletionPreview> {
  const { rules, found } = await findSurroundings(db, asker, reference, LIMITS);
  if (!actionsIn(asker, rules).includes("delete")) {
    throw new OciError("DENIED", { message: "this is for who may delete here" });
  }
  const surroundings = assertFound(found, reference);
  const { tags, heldBy } = surroundings;
  if (heldBy !== undefined) assertDeleted({ kind: "held", by: heldBy }, "MANIFEST_UNKNOWN", {});
  const { manifests, manifestBytes, blobBytes } = effectOf(toGraph(surroundings, reference), [{ tag: DOOMED }]);
  return { tags, manifests, bytes: manifestBytes + blobBytes };
}

function assertFound({ repositoryExists, surroundings }: FoundSurroundings, reference: Reference): Surroundings {
  if (typeof surroundings === "string") {
    const message = `it holds more than ${LIMITS[surroundings]} ${surroundings}: too many to count`;
    throw new OciError("UNSUPPORTED", { message });
  }
  const detail = reference.kind === "tag" ? { tag: reference.tag } : { digest: reference.digest };
  return foundOr({ repositoryExists, found: surroundings }, "MANIFEST_UNKNOWN", detail);
}

/** Of the repository, as much as goes with the target, or is kept by something beside it: as tags that stay. */
function toGraph(
  { target, manifests, references, blobs }: Surroundings,
  { kind }: Pick<Reference, "kind">,
): RepositoryGraph {
  // Whoever deletes by the digest deletes it, whatever its subject.
  const held = manifests.filter(({ digest, isHeld }) => isHeld && !(kind === "digest" && digest === target));
  return {
    tags: [{ tag: DOOMED, digest: target }, ...held.map(({ digest }) => ({ tag: holderOf(digest), digest }))],
    manifests: manifests.map(({ digest, size, subject }) => ({ digest, size, subject: subject ?? undefined })),
    references,
    blobs: blobs.map(({ digest, size, isHeld: isHeldElsewhere }) => ({ digest, size, isHeldElsewhere })),
  };
}
