import type { Tag } from "../../src/oci/reference.ts";
import type { RepositoryName } from "../../src/oci/repository-name.ts";
import { PartBuffer, partBuffers } from "../../src/storage/part-buffers.ts";
import { act } from "./actions.ts";
import { prepare } from "./beginning.ts";
import { makeCatalog } from "./contents.ts";
import type { SimulatedD1 } from "./d1.ts";
import { checkAcknowledged, checkStored, type End, letQuietTimePass } from "./invariants.ts";
import { Model } from "./model.ts";
import { Network, type Rates } from "./network.ts";
import { SimulatedR2 } from "./r2.ts";
import { checkCounts, checkNothingIsLeft, checkNothingIsStray } from "./remains.ts";
import { Random } from "./random.ts";
import { checkRetained, findLasting } from "./retained.ts";
import { makeRules } from "./rules.ts";
import { runCron } from "./runs.ts";
import { enter } from "./runtime.ts";
import { HOUR_TAG, type Scene } from "./scene.ts";
import { Service } from "./service.ts";
import { cronRest, type Pace, thinkingTime, UNTAGGED_TTLS } from "./times.ts";
import { type Style, World } from "./world.ts";

/** What became of a history. */
export interface Outcome {
  readonly seed: number;
  /** What is wrong; undefined when all is well. */
  readonly violation: string | undefined;
  readonly steps: number;
  /** The same whenever the seed is run again. */
  readonly fingerprint: number;
}

/** No trouble; calls that fail; Workers that die; clients that go; all of it. */
const TROUBLES: readonly (readonly [number, Rates])[] = [
  [4, { fail: 0, kill: 0, abandon: 0, slow: 0.05 }],
  [3, { fail: 0.04, kill: 0, abandon: 0, slow: 0.05 }],
  [2, { fail: 0, kill: 0.03, abandon: 0, slow: 0.05 }],
  [1, { fail: 0, kill: 0, abandon: 0.05, slow: 0.15 }],
  [2, { fail: 0.05, kill: 0.02, abandon: 0.02, slow: 0.2 }],
];

const REPOSITORIES = ["first", "second"] as RepositoryName[];
const TAGS = ["one", "two"] as Tag[];

/** Clients who delete what they are rid of; and others who leave that to lives and rules. */
const TIDINESS = [
  { tags: TAGS, isLeft: false },
  { tags: [...TAGS, HOUR_TAG], isLeft: true },
];

/** Sets the stage: few contents, repositories and tags, so that clients meet. */
function makeScene(world: World, rates: Rates, db: SimulatedD1): End {
  const { random } = world;
  const network = new Network(world, rates);
  const bucket = new SimulatedR2(network, () => world.now);
  const { tags: allTags, isLeft } = random.pick(TIDINESS);
  const catalog = makeCatalog(random, isLeft && random.chance(0.3));
  const ttl = random.weighted(UNTAGGED_TTLS);
  const repositories = REPOSITORIES.slice(0, random.between(1, 2));
  const tags = allTags.slice(0, random.between(allTags.length - 1, allTags.length));
  const books = isLeft ? makeRules(random, repositories, tags) : [];
  const model = new Model(world, catalog, ttl, books);
  // Known from the start, so that a deletion of many is one of those that come later too.
  for (const repository of repositories) {
    for (const { digest } of catalog.blobs) model.blob(repository, digest);
    for (const { digest } of catalog.manifests) model.manifest(repository, digest);
    for (const tag of tags) model.tag(repository, tag);
  }
  const service = new Service(world, network, db, bucket, ttl);
  const pace = random.pick<Pace>(["brisk", "slow"]);
  const life = { books, hasExpiringTags: isLeft && random.chance(0.5), hasReleases: isLeft };
  return { world, network, random, service, model, catalog, repositories, tags, pace, ttl, db, bucket, ...life };
}

/** One after the other, until the history has had enough requests. */
async function live(scene: Scene, name: string, requestsMax: number): Promise<void> {
  while (scene.service.requests < requestsMax && !scene.world.violation) {
    await scene.world.pause(`${name} rests`, thinkingTime(scene.random, scene.pace));
    await act(scene);
  }
}

/** The cron trigger, whose runs may overlap. */
async function tick(scene: Scene, requestsMax: number): Promise<void> {
  while (scene.service.requests < requestsMax && !scene.world.violation) {
    await scene.world.pause("cron rests", cronRest(scene.random, scene.pace));
    await runCron(scene);
  }
}

/** Whoever dies leaves its buffers to its isolate, of which the simulation has one for all. */
function freeBuffers(): void {
  partBuffers.release(new PartBuffer(partBuffers.heldBytes));
}

/** Runs one history and looks at its end. `trace` hears of each step. */
export async function runHistory(db: SimulatedD1, seed: number, trace?: (line: string) => void): Promise<Outcome> {
  const random = new Random(seed);
  const rates = random.weighted(TROUBLES);
  const style = random.pick<Style>(["any", "any", "same", "first"]);
  const world = new World(random, style, trace);
  enter(world, random);
  db.clear();
  freeBuffers();
  const scene = makeScene(world, rates, db);
  await prepare(scene);
  const requestsMax = scene.service.requests + (scene.pace === "slow" ? random.between(10, 30) : random.between(6, 18));
  const actors = [
    ...Array.from({ length: random.between(2, 4) }, async (_, i) => await live(scene, `client ${i + 1}`, requestsMax)),
    ...Array.from({ length: random.between(1, 2) }, async () => await tick(scene, requestsMax)),
  ];
  const ends = Promise.all(actors).then(
    () => true,
    (error: unknown) => {
      world.violate(error instanceof Error ? (error.stack ?? error.message) : String(error));
      return true;
    },
  );
  const violation = await play(scene, ends, rates);
  return { seed, violation, steps: world.steps, fingerprint: world.fingerprint };
}

/** To the end and beyond. Returns what is wrong. */
async function play(scene: End, ends: Promise<boolean>, rates: Rates): Promise<string | undefined> {
  const { world, network } = scene;
  try {
    await world.runToEnd();
    const isOver = world.violation !== undefined || (await Promise.race([ends, Promise.resolve(false)]));
    if (!isOver) world.violate("somebody waits for ever");
    if (world.violation) return world.violation.message;
    if (rates.kill === 0 && partBuffers.heldBytes > 0) world.violate("an upload did not give its buffers back");
    checkStored(scene);
    checkCounts(scene);
    checkNothingIsStray(scene);
    network.isCalm = true;
    await checkAcknowledged(scene);
    const lasting = findLasting(scene);
    await letQuietTimePass(scene);
    checkStored(scene);
    checkCounts(scene);
    await checkAcknowledged(scene);
    checkRetained(scene, lasting);
    checkNothingIsLeft(scene);
  } catch (error) {
    world.violate(error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
  return world.violation?.message;
}
