import * as v from "valibot";
import { OciError } from "../oci/error.ts";
import { parsePage } from "../oci/page.ts";
import { toTime, toTimeOrNull } from "../oci/time.ts";
import * as registry from "../registry/tag-history.ts";
import { endpoint, pageAnswer, type ParsedCall } from "./endpoint.ts";
import { askerOf, DigestText, Life, PAGE_QUERY, RepositoryNameText, TagText, Time, Who, whoFor } from "./schemas.ts";

const Address = { repository: RepositoryNameText, tag: TagText };
const Answer = { repository: v.string(), tag: v.string() };

/** Tags moved at once: each costs a record of its own. */
const RELEASES_MAX = 50;

export const listTagEvents = endpoint(
  {
    summary: "Lists the moves of a tag, newest first: what it named from then on, and who moved it.",
    query: v.strictObject({ ...PAGE_QUERY, ...Address }),
    answer: v.object({
      events: v.array(
        v.object({
          ...{ id: v.number(), digest: v.nullable(v.string()), previousDigest: v.nullable(v.string()) },
          ...{ actor: Who, occurredAt: v.string() },
          isAvailable: v.pipe(
            v.boolean(),
            v.description("Whether the manifest is stored, so that it can be restored."),
          ),
        }),
      ),
    }),
  },
  async (call) => {
    const { limit, last } = parsePage(call.url.searchParams);
    if (!/^\d{0,15}$/.test(last)) {
      throw new OciError("PAGINATION_NUMBER_INVALID", { message: "last is not from a Link of this list" });
    }
    const before = last === "" ? undefined : Number(last);
    const { repository, tag } = call.query;
    const page = { before, limit };
    const { entries, next } = await registry.listTagEvents(call.context, askerOf(call, repository), tag, page);
    const events = entries.map((event) => ({
      ...event,
      actor: whoFor(call, event.actor),
      occurredAt: toTime(event.occurredAt),
    }));
    return pageAnswer(call, { events }, limit, next);
  },
);

export const showTagAt = endpoint(
  {
    summary: "Tells what a tag named at a time: null for nothing.",
    query: v.strictObject({ ...Address, time: Time }),
    answer: v.object({ ...Answer, time: v.string(), digest: v.nullable(v.string()) }),
  },
  async (call) => {
    const { repository, tag, time } = call.query;
    const digest = await registry.findTagAt(call.context, askerOf(call, repository), tag, Date.parse(time));
    return { repository, tag, time, digest };
  },
);

export const restoreTag = endpoint(
  {
    summary:
      "Makes a tag name again what it named before its last move or deletion, or another manifest that is stored.",
    body: v.strictObject({ ...Address, digest: v.optional(DigestText) }),
    answer: v.object({ ...Answer, digest: v.string() }),
  },
  async ({ context, caller, body }) => {
    const { repository, tag } = body;
    const digest = await registry.restoreTag(context, { repository, tag }, body.digest, caller.actor);
    return { repository, tag, digest };
  },
);

const ReleaseInput = v.pipe(
  v.strictObject({ ...Address, digest: v.optional(DigestText), from: v.optional(TagText) }),
  v.check(({ digest, from }) => (digest === undefined) !== (from === undefined), "give either digest or from"),
);

/** The digest that a release is for: given, or that of another tag now. */
async function toRelease(
  { context }: Pick<ParsedCall<unknown, unknown>, "context">,
  { repository, tag, digest, from }: v.InferOutput<typeof ReleaseInput>,
): Promise<registry.Release> {
  if (digest !== undefined) return { repository, tag, digest };
  return { repository, tag, digest: await registry.findReleased(context, { repository, tag: from ?? tag }) };
}

export const releaseTags = endpoint(
  {
    summary: "Moves several tags, of any repositories, in one transaction: all of them, or none.",
    body: v.strictObject({
      releases: v.pipe(
        v.array(ReleaseInput, "give a list of releases"),
        v.minLength(1, "give at least one release"),
        v.maxLength(RELEASES_MAX, `give at most ${RELEASES_MAX} releases`),
        v.check(
          (releases) => new Set(releases.map(({ repository, tag }) => `${repository}:${tag}`)).size === releases.length,
          "give each tag once",
        ),
      ),
    }),
    answer: v.object({ releases: v.array(v.object({ ...Answer, digest: v.string() })) }),
  },
  async (call) => {
    const releases = await Promise.all(call.body.releases.map(async (release) => await toRelease(call, release)));
    await registry.releaseTags(call.context, releases, call.caller.actor);
    return { releases };
  },
);

export const setTagExpiry = endpoint(
  {
    summary: "Says when a tag ends by itself, or that it does not.",
    body: v.strictObject({ ...Address, expires: Life }),
    answer: v.object({ ...Answer, expiresAt: v.nullable(v.string()) }),
  },
  async ({ context, caller, body }) => {
    const { repository, tag, expires } = body;
    const expiresAt = await registry.setTagLife(context, { repository, tag }, expires, caller.actor);
    return { repository, tag, expiresAt: toTimeOrNull(expiresAt) };
  },
);
