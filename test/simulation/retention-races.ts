import type { Tag } from "../../src/oci/reference.ts";
import type { RepositoryName } from "../../src/oci/repository-name.ts";
import { Puller } from "./pulls.ts";
import { Pusher } from "./pushes.ts";
import { Retainer } from "./retainer.ts";
import type { RuleBook } from "./rules.ts";
import { runCron } from "./runs.ts";
import { contentsOf, type Scene } from "./scene.ts";
import { HOUR_MS, SECOND_MS } from "./times.ts";

/** While rules decide on tags, of which one is old, it moves, or the rules change; and somebody looks at them. */
export async function raceRetention(scene: Scene, book: RuleBook, repository: RepositoryName): Promise<void> {
  const { random, tags, world } = scene;
  const [older, newer] = random.chance(0.5) ? tags : tags.toReversed();
  const contents = contentsOf(scene, repository);
  if (older === undefined || newer === undefined || contents.length === 0) return;
  const [pusher, puller, retainer] = [new Pusher(scene), new Puller(scene), new Retainer(scene)];
  const push = async (tag: Tag) => await pusher.pushManifest(repository, random.pick(contents), tag);
  for (const tag of [older, newer]) {
    await push(tag);
    await world.pause("a tag ages", random.pick([SECOND_MS, SECOND_MS, HOUR_MS + SECOND_MS]));
  }
  const again = async () => {
    for (let times = 0; times < 3; times += 1) await push(older);
  };
  const rival = random.weighted<() => Promise<unknown>>([
    [6, again],
    [2, async () => await retainer.setRule(book)],
    [1, async () => await retainer.removeRule(book)],
    [2, async () => await retainer.replace(random.pick(scene.books))],
  ]);
  const look = async () => {
    for (const tag of [older, newer]) await puller.lookAt(repository, tag);
  };
  const meanwhile = async () => {
    await rival();
    await look();
  };
  await Promise.all([random.chance(0.3) ? runCron(scene) : retainer.run(book), meanwhile()]);
  await look();
}
