import type { Endpoint } from "../distribution/endpoint.ts";
import { Failure } from "../local/failure.ts";
import type { Client } from "./client.ts";
import { lookForCredentials } from "./credentials.ts";
import { canAsk, type Environment } from "./environment.ts";
import type { Endpoints } from "./endpoints.ts";
import { logIn } from "./login.ts";
import { Output } from "./output.ts";
import { askWhether } from "./prompt.ts";
import { findRegistry, type RegistryOptions } from "./registry.ts";

/** The options that every command has, and `--yes` of those that ask. */
export interface SessionOptions extends RegistryOptions {
  readonly json?: boolean;
  readonly yes?: boolean;
}

/** What a command works with: its caller's side, and the registry's. */
export class Session {
  readonly environment: Environment;
  readonly output: Output;
  readonly #options: SessionOptions;

  constructor(options: SessionOptions, environment: Environment) {
    this.#options = options;
    this.environment = environment;
    this.output = new Output(environment);
  }

  /** Finds the registry and logs in; a command does so once, after it has read all of its arguments. */
  async connect(): Promise<Client> {
    return await logIn(findRegistry(this.#options, this.environment), this.environment);
  }

  /** The registries that images go between. What speaks to them is loaded now: no other command should wait for it. */
  async endpoints(plainHttp: readonly string[]): Promise<Endpoints> {
    const { Endpoints } = await import("./endpoints.ts");
    return new Endpoints(this.#options, this.environment, plainHttp);
  }

  /** The registry that the command is for, and its caller, without asking it anything. */
  async endpoint(): Promise<Endpoint> {
    const registry = findRegistry(this.#options, this.environment);
    const { credentials, ...found } = await lookForCredentials(registry, this.environment);
    return { host: registry.url.host, url: registry.url, credentials, ...found };
  }

  /** Whether what is shown is for machines. */
  get isJson(): boolean {
    return this.#options.json === true;
  }

  /** Shows what the registry answered: as it is with `--json`, else in words. */
  show(answer: unknown, inWords: (output: Output) => void): void {
    if (this.#options.json === true) this.output.json(answer);
    else inWords(this.output);
  }

  /** @throws Failure unless the operator wants it, by `--yes` or by answering. */
  async confirm(question: string): Promise<void> {
    if (this.#options.yes === true) return;
    if (!canAsk(this.environment)) throw new Failure(`${question} There is no terminal to ask on: add --yes`, 2);
    if (!(await askWhether(question, this.environment))) throw new Failure("nothing was changed");
  }
}
