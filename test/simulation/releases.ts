import type { Tag } from "../../src/oci/reference.ts";
import type { RepositoryName } from "../../src/oci/repository-name.ts";
import { type Release, releaseTags, setTagLife } from "../../src/registry/tag-history.ts";
import { Asker } from "./asker.ts";
import type { Content } from "./contents.ts";
import { ABSENT, PRESENT } from "./model.ts";
import { Puller } from "./pulls.ts";
import { runCron } from "./runs.ts";
import { ACTOR, contentsOf, ownLifeOf, type Scene } from "./scene.ts";
import { HOUR_MS, MINUTE_MS } from "./times.ts";

/** Lives that are given to tags. */
const LIVES = [20 * MINUTE_MS, HOUR_MS, 5 * HOUR_MS];

/** Moves tags together, and says when they end. */
export class Releaser {
  readonly #scene: Scene;
  readonly #asker: Asker;

  constructor(scene: Scene) {
    this.#scene = scene;
    this.#asker = new Asker(scene);
  }

  /** Some tags, each with a manifest that may be missing now and then. */
  #draw(): (Release & { readonly content: Content })[] {
    const { random, repositories, tags, catalog } = this.#scene;
    const all = repositories.flatMap((repository) => tags.map((tag) => ({ repository, tag })));
    const chosen = all.filter(() => random.chance(0.6));
    return (chosen.length > 0 ? chosen : all).map((address) => {
      const there = contentsOf(this.#scene, address.repository);
      const content = random.pick(there.length > 0 && random.chance(0.9) ? there : catalog.manifests);
      return { ...address, digest: content.digest, content };
    });
  }

  /** Moves several tags in one transaction; somebody may look at them meanwhile. */
  async release(): Promise<void> {
    const { random } = this.#scene;
    const releases = this.#draw();
    const puller = new Puller(this.#scene);
    const look = async () => {
      for (const { repository, tag } of random.chance(0.7) ? releases : releases.toReversed()) {
        await puller.lookAt(repository, tag);
      }
    };
    await Promise.all([this.#release(releases), look()]);
    if (random.chance(0.5)) await look();
  }

  async #release(releases: readonly (Release & { readonly content: Content })[]): Promise<void> {
    const { model, world, service } = this.#scene;
    const moves = releases.flatMap(({ repository, tag, digest }) =>
      model.moveTag(repository, tag, digest, ownLifeOf(this.#scene, tag)),
    );
    const operation = model.begin(moves, true);
    const inputs = releases.map(({ repository, tag, digest }) => ({ repository, tag, digest }));
    const labels = releases.map(({ repository, tag, content }) => `${repository} ${tag} ${content.name}`);
    const answer = await service.request(`release ${labels.join()}`, async (context) => {
      await releaseTags(context, inputs, ACTOR);
    });
    operation.end(answer.kind === "done" ? "done" : answer.kind === "refused" ? "nothing" : answer.run);
    if (answer.kind === "done") {
      for (const { repository, digest } of releases) operation.saw(model.manifest(repository, digest), PRESENT);
    }
    if (answer.kind !== "refused") return;
    const { code, message, detail } = answer.error;
    if (code !== "MANIFEST_UNKNOWN") throw world.violate(`release refused by ${code}: ${message}`);
    for (const { repository, digest } of detail as Release[]) {
      const content = releases.find((release) => release.digest === digest)?.content;
      if (content) this.#asker.sawAbsent(operation, repository, content, model.manifest(repository, digest));
    }
  }

  /** Says when a tag ends; undefined: not by itself. */
  async setLife(repository: RepositoryName, tag: Tag, lifeMs: number | undefined): Promise<void> {
    const { model } = this.#scene;
    const { answer, operation } = await this.#asker.ask(
      `end ${repository} ${tag} ${lifeMs === undefined ? "never" : `in ${lifeMs / MINUTE_MS} minutes`}`,
      [model.setLife(repository, tag, lifeMs)],
      async (context) => await setTagLife(context, { repository, tag }, lifeMs, ACTOR),
    );
    this.#asker.expectRefusal(answer, () => operation.saw(model.tag(repository, tag), ABSENT));
  }

  async setSomeLife(repository: RepositoryName, tag: Tag): Promise<void> {
    const { random } = this.#scene;
    await this.setLife(repository, tag, random.chance(0.25) ? undefined : random.pick(LIVES));
  }

  /** Gives a tag a life, and changes its mind when that is just over: then the schedule may come first, or not. */
  async changeMind(repository: RepositoryName, tag: Tag): Promise<void> {
    const { random, world } = this.#scene;
    const lifeMs = random.pick(LIVES);
    await this.setLife(repository, tag, lifeMs);
    await world.pause("a life ends", lifeMs + random.below(MINUTE_MS));
    const lift = async () => await this.setLife(repository, tag, random.chance(0.8) ? undefined : 5 * HOUR_MS);
    await Promise.all([runCron(this.#scene), lift()]);
    await new Puller(this.#scene).lookAt(repository, tag);
  }
}
