import * as v from "valibot";
import * as registry from "../registry/readmes.ts";
import { endpoint } from "./endpoint.ts";
import { askerOf, RepositoryNameText } from "./schemas.ts";

const KIB = 1024;

const Readme = v.pipe(
  v.string("give the readme as a text"),
  v.check(
    (text) => new TextEncoder().encode(text).byteLength <= registry.README_MAX_BYTES,
    `give at most ${registry.README_MAX_BYTES / KIB} KiB`,
  ),
  v.description("Markdown of at most 64 KiB; an empty one goes."),
);

export const showReadme = endpoint(
  {
    summary: "Shows what a repository says of itself: its readme, and the annotations of the tag that moved last.",
    query: v.strictObject({ repository: RepositoryNameText }),
    answer: v.object({
      readme: v.nullable(v.string()),
      description: v.nullable(v.string()),
      source: v.pipe(
        v.nullable(v.picklist(["uploaded", "annotations"])),
        v.description("Whether there is a readme, or annotations alone; null: neither."),
      ),
      annotations: v.pipe(
        v.nullable(v.record(v.string(), v.string())),
        v.description("Those of the image specification, without org.opencontainers.image: title, url, licenses, …"),
      ),
    }),
  },
  async (call) => await registry.findReadme(call.context, askerOf(call, call.query.repository)),
);

export const setReadme = endpoint(
  {
    summary: "Sets the readme of a repository, or takes it away.",
    body: v.strictObject({ repository: RepositoryNameText, readme: Readme }),
    answer: v.object({ repository: v.string(), hasReadme: v.boolean() }),
  },
  async ({ context, caller: { actor }, body: { repository, readme } }) => {
    await registry.setReadme(context, { repository, readme, actor });
    return { repository, hasReadme: readme !== "" };
  },
);
