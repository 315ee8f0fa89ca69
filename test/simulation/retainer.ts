import { removeRetentionRule, setRetentionRule } from "../../src/lifecycle/retention-rules.ts";
import { previewRetention, runRetention } from "../../src/lifecycle/retention-runs.ts";
import type { ErrorCode } from "../../src/oci/error.ts";
import { Asker } from "./asker.ts";
import { ABSENT, type Operation } from "./model.ts";
import type { RuleBook } from "./rules.ts";
import type { Answer } from "./run.ts";
import { ACTOR, type Scene } from "./scene.ts";
import { ruleValue } from "./tag-lives.ts";

/** Sets retention rules, looks at what they would do, and lets them. */
export class Retainer {
  readonly #scene: Scene;
  readonly #asker: Asker;

  constructor(scene: Scene) {
    this.#scene = scene;
    this.#asker = new Asker(scene);
  }

  /** There may be no such rule; or it is another one than before, or nobody has previewed it. */
  #expect(answer: Answer<unknown>, operation: Operation, { name }: RuleBook, others: readonly ErrorCode[] = []): void {
    if (answer.kind !== "refused") return;
    const { code, message } = answer.error;
    if (code === "NOT_FOUND") operation.saw(this.#scene.model.rule(name), ABSENT);
    else if (!others.includes(code)) throw this.#scene.world.violate(`rule refused by ${code}: ${message}`);
  }

  async setRule(book: RuleBook): Promise<void> {
    const { random, model } = this.#scene;
    const variant = random.below(book.variants.length);
    await this.#asker.ask(
      `set rule ${book.name} ${variant}`,
      [{ register: model.rule(book.name), value: ruleValue(variant, false) }],
      async (context) => await setRetentionRule(context, book.name, book.variants[variant], ACTOR),
    );
  }

  /** To its end, from which on the rule removes what it says. */
  async preview(book: RuleBook): Promise<void> {
    const register = this.#scene.model.rule(book.name);
    const { answer, operation } = await this.#asker.ask(
      `preview rule ${book.name}`,
      book.variants.map((_, variant) => ({
        register,
        value: ruleValue(variant, true),
        over: ruleValue(variant, false),
      })),
      async (context) => {
        let last: string | undefined;
        do ({ last } = await previewRetention(context, { name: book.name }, last));
        while (last !== undefined);
      },
    );
    this.#expect(answer, operation, book, ["CONFLICT"]);
  }

  /** Lets a rule remove from now on that may be another one than before. */
  async replace(book: RuleBook): Promise<void> {
    await this.setRule(book);
    await this.preview(book);
  }

  async removeRule(book: RuleBook): Promise<void> {
    const { answer, operation } = await this.#asker.ask(
      `remove rule ${book.name}`,
      [{ register: this.#scene.model.rule(book.name), value: ABSENT }],
      async (context) => {
        await removeRetentionRule(context, book.name, ACTOR);
      },
    );
    this.#expect(answer, operation, book);
  }

  /** Lets one rule run now, or all. */
  async run(book: RuleBook | undefined): Promise<void> {
    const { model } = this.#scene;
    model.noteAllHolds();
    const { answer, operation } = await this.#asker.ask(
      `run ${book ? `rule ${book.name}` : "all rules"}`,
      [],
      async (context) => await runRetention(context, { name: book?.name, last: undefined, actor: ACTOR }),
    );
    if (book) this.#expect(answer, operation, book, ["CONFLICT"]);
  }
}
