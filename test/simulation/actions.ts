import type { Tag } from "../../src/oci/reference.ts";
import type { RepositoryName } from "../../src/oci/repository-name.ts";
import { Deleter } from "./deletions.ts";
import type { ManifestContent } from "./contents.ts";
import { Puller } from "./pulls.ts";
import { Pusher } from "./pushes.ts";
import type { Scene } from "./scene.ts";
import { Releaser } from "./releases.ts";
import { Restorer } from "./restorations.ts";
import { Retainer } from "./retainer.ts";
import { raceRetention } from "./retention-races.ts";
import { collectNow, runCron } from "./runs.ts";
import type { RuleBook } from "./rules.ts";
import { Uploader } from "./uploader.ts";

type Action = readonly [weight: number, act: () => Promise<unknown>];

function releaseActions(scene: Scene, repository: RepositoryName, tag: Tag): readonly Action[] {
  const releaser = new Releaser(scene);
  return [
    [6, async () => await releaser.release()],
    [3, async () => await releaser.setSomeLife(repository, tag)],
    [4, async () => await releaser.changeMind(repository, tag)],
  ];
}

function retentionActions(scene: Scene, repository: RepositoryName, book: RuleBook): readonly Action[] {
  const retainer = new Retainer(scene);
  return [
    [2, async () => await retainer.setRule(book)],
    [4, async () => await retainer.preview(book)],
    [1, async () => await retainer.removeRule(book)],
    [2, async () => await retainer.run(scene.random.chance(0.5) ? book : undefined)],
    [8, async () => await raceRetention(scene, book, repository)],
  ];
}

/** One thing that a client may want. */
export async function act(scene: Scene): Promise<void> {
  const { random, repositories, catalog, tags } = scene;
  const [pusher, puller, deleter, restorer, uploader] = [
    new Pusher(scene),
    new Puller(scene),
    new Deleter(scene),
    new Restorer(scene),
    new Uploader(scene),
  ];
  const repository = random.pick(repositories);
  const blob = random.pick(catalog.blobs);
  const [image] = catalog.manifests as [ManifestContent, ...ManifestContent[]];
  const manifest = random.weighted(
    [4, 2, 2, 1, 2].map((weight, i) => [weight, catalog.manifests[i] ?? image] as const),
  );
  const tag = random.pick(tags);
  const perhapsTag = random.chance(0.7) ? tag : undefined;
  const digest = { kind: "digest", digest: manifest.digest } as const;
  const action = random.weighted<() => Promise<unknown>>([
    [10, async () => await pusher.pushImage(repository, manifest, perhapsTag)],
    [3, async () => await pusher.ensureBlob(repository, blob)],
    [3, async () => await puller.pull(repository, { kind: "tag", tag })],
    [2, async () => await puller.pull(repository, digest)],
    [1, async () => await puller.pullBlob(repository, blob)],
    [1, async () => await puller.listReferrers(repository)],
    [4, async () => await deleter.deleteTag(repository, tag)],
    [4, async () => await deleter.deleteManifest(repository, manifest)],
    [2, async () => await deleter.deleteBlob(repository, blob)],
    [3, async () => await pusher.pushManifest(repository, manifest, tag)],
    [3, async () => await pusher.relyOn(repository, manifest, perhapsTag)],
    [1, async () => await pusher.mountAndMove(blob)],
    [3, async () => await restorer.restore(repository, manifest, tag)],
    [2, async () => await runCron(scene)],
    [
      3,
      // Whoever is told of a blob while its time ends is told the truth.
      async () => await Promise.all([collectNow(scene), pusher.relyOn(repository, manifest, perhapsTag)]),
    ],
    [0.3, async () => await deleter.deleteRepository(repository)],
    [2, async () => await uploader.inVain(repository, blob)],
    [3, async () => await uploader.withRival(repository, blob)],
    ...(scene.hasReleases ? releaseActions(scene, repository, tag) : []),
    ...scene.books.flatMap((book) => retentionActions(scene, repository, book)),
  ]);
  await action();
}
