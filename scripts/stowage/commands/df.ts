import * as v from "valibot";
import { pathOf, withQuery } from "../client.ts";
import { example, type Noun } from "../noun.ts";
import type { Session } from "../session.ts";
import { count, formatSize } from "../text.ts";

const RepositorySchema = v.looseObject({
  ...{ name: v.string(), manifests: v.number(), tags: v.number() },
  ...{ upstream: v.nullable(v.string()), size: v.number(), uniqueSize: v.number() },
});
const UsageSchema = v.looseObject({
  ...{ objects: v.number(), bytes: v.number(), mirroredBytes: v.number(), databaseBytes: v.number() },
});

const WORDS = `
Manifests are images, indexes of images, and what refers to them. Size counts each content once for each repository that holds it. Unique is what no other repository holds: what deleting this one frees,
once it is collected. The rest is shared. In all, each content counts once. Mirrored is what only repositories hold that mirror another registry's.
`;

/** What takes the space. */
export const df: Noun = (program, act) => {
  program
    .command("df")
    .description("show what takes the space, by repository; the largest first")
    .addHelpText("after", WORDS + example("stowage df", "stowage df --json | jq .total.bytes"))
    .action(act(show));
};

async function show(session: Session): Promise<void> {
  const client = await session.connect();
  const path = withQuery(pathOf("repositories"), { sort: "size", order: "desc" });
  const listed = await client.list(path, "repositories", RepositorySchema);
  const { objects, bytes, mirroredBytes, databaseBytes } = await client.get(pathOf("usage"), UsageSchema);
  const repositories = listed.map(({ name, upstream, manifests, tags, size, uniqueSize }) => ({
    ...{ name, upstream, manifests, tags, size, uniqueSize, sharedSize: size - uniqueSize },
  }));
  const sum = (of: (one: (typeof repositories)[number]) => number) =>
    repositories.reduce((total, one) => total + of(one), 0);
  const total = {
    ...{ repositories: repositories.length, manifests: sum((one) => one.manifests), tags: sum((one) => one.tags) },
    ...{ uniqueSize: sum((one) => one.uniqueSize), objects, bytes, mirroredBytes, databaseBytes },
  };
  session.show({ repositories, total }, (output) => {
    const rows = repositories.map(({ name, manifests, tags, size, uniqueSize, sharedSize }) => [
      ...[name, String(manifests), String(tags), formatSize(size), formatSize(uniqueSize), formatSize(sharedSize)],
    ]);
    const head = ["Repository", "Manifests", "Tags", "Size", "Unique", "Shared"];
    output.table(head, rows, "There are no repositories yet: docker push makes them.");
    output.section("In all");
    output.fields([
      [
        "Repositories",
        `${total.repositories}, with ${count(total.manifests, "manifest")} and ${count(total.tags, "tag")}`,
      ],
      ["Stored", `${formatSize(bytes)} in ${count(objects, "object")}, each content once`],
      ...(mirroredBytes === 0 && repositories.every(({ upstream }) => upstream === null)
        ? []
        : [["Mirrored", `${formatSize(mirroredBytes)}, that no repository of our own holds`] as const]),
      ["Unique", `${formatSize(total.uniqueSize)}; the rest is shared, or waits to be collected`],
      ["Database", formatSize(databaseBytes)],
    ]);
  });
}
