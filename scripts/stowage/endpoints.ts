import { Agent } from "undici";
import { Connection, type Manners } from "../distribution/connection.ts";
import type { Endpoint } from "../distribution/endpoint.ts";
import { DOCKER_HUB } from "../distribution/image-name.ts";
import { Failure } from "../local/failure.ts";
import { lookForCredentials } from "./credentials.ts";
import { findDockerCredentials } from "./docker-config.ts";
import type { Environment } from "./environment.ts";
import { findLocalServer, isSameServer } from "./local-server.ts";
import { findRegistry, parseAddress, type Registry, type RegistryOptions } from "./registry.ts";

const DOCKER_HUB_URL = new URL("https://registry-1.docker.io");
/** By which `docker login` remembers it. */
const DOCKER_HUB_KEY = "https://index.docker.io/v1/";

/**
 * The registries of a run, by the hosts that image names begin with, each with the credentials for it alone: those of the
 * variables and of a data folder for the registry that commands are for, and what `docker login` kept for all others.
 */
export class Endpoints {
  readonly #environment: Environment;
  readonly #options: RegistryOptions;
  readonly #plainHttp: ReadonlySet<string>;
  readonly #connections = new Map<string, Promise<Connection>>();
  readonly #manners: Manners;
  /** Aborting it ends every request. */
  readonly stop = new AbortController();

  /** `plainHttp` are hosts that are spoken to without TLS, by the operator's will. */
  constructor(options: RegistryOptions, environment: Environment, plainHttp: readonly string[]) {
    this.#options = options;
    this.#environment = environment;
    this.#plainHttp = new Set(plainHttp);
    const { timeoutMs, patience } = environment;
    const agent = new Agent({ connect: { timeout: timeoutMs } });
    this.#manners = { agent, patience, timeoutMs, signal: this.stop.signal };
  }

  /** The registry that commands are for. @throws Failure where none is named or runs here. */
  async connectHome(): Promise<Connection> {
    const registry = findRegistry(this.#options, this.#environment);
    return await this.#connect(registry.url.host, async () => await this.#describeHome(registry));
  }

  /** A registry by its host. `isTarget` is of the one that is written to, which the variables are for when none is named. */
  async connect(host: string, isTarget: boolean): Promise<Connection> {
    return await this.#connect(host, async () => {
      if (host === DOCKER_HUB) return { host, url: DOCKER_HUB_URL, ...(await this.#askDocker(DOCKER_HUB_KEY)) };
      const url = this.#addressOf(host);
      const home = this.#findHome();
      if (home && isSameServer(home.url, url)) return await this.#describeHome({ ...home, url });
      const { server: local } = findLocalServer(this.#options.data, this.#environment.folders);
      const isLocal = local !== undefined && isSameServer(local.url, url);
      const registry: Registry = { url, local: isLocal ? local : undefined };
      const isOurs = isTarget && home === undefined;
      if (isOurs) return await this.#describeHome(registry);
      if (!isLocal) return { host, url, ...(await this.#askDocker(host)) };
      const env = { ...this.#environment.env, STOWAGE_USERNAME: "", STOWAGE_PASSWORD: "" };
      return { host, url, ...(await lookForCredentials(registry, { ...this.#environment, env })) };
    });
  }

  async close(): Promise<void> {
    await this.#manners.agent.destroy();
  }

  async #connect(host: string, describe: () => Promise<Found>): Promise<Connection> {
    const known = this.#connections.get(host);
    if (known !== undefined) return await known;
    const made = describe().then(
      ({ credentials, ...found }) => new Connection({ ...found, credentials }, this.#manners),
    );
    this.#connections.set(host, made);
    return await made;
  }

  async #describeHome(registry: Registry): Promise<Found> {
    const found = await lookForCredentials(registry, this.#environment);
    return { host: registry.url.host, url: registry.url, ...found };
  }

  async #askDocker(key: string): Promise<Pick<Found, "credentials" | "problem">> {
    return await findDockerCredentials(key, this.#environment);
  }

  #addressOf(host: string): URL {
    if (!this.#plainHttp.has(host)) return parseAddress(host);
    if (URL.canParse(`http://${host}`)) return new URL(`http://${host}`);
    throw new Failure(`'${host}' is no host`, 2);
  }

  /** The registry that is named, by option or variable; whatever runs here by chance is none. */
  #findHome(): Registry | undefined {
    const { registry, data } = this.#options;
    const isNamed = (registry ?? data ?? this.#environment.env.STOWAGE_URL ?? "") !== "";
    return isNamed ? findRegistry(this.#options, this.#environment) : undefined;
  }
}

type Found = Omit<Endpoint, "credentials"> & Partial<Pick<Endpoint, "credentials">>;
