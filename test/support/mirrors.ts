import { env } from "cloudflare:workers";
import { claimMirror } from "../../src/metadata/mirrored.ts";
import { parseRepositoryName } from "../../src/oci/repository-name.ts";

/** An upstream that nobody can reach, and a repository that mirrors one of its. Without the settings, a test may push to it. */
export interface IdleMirror {
  readonly upstream: string;
  readonly repository: string;
  readonly settings: { readonly UPSTREAMS: string };
}

/** Makes a repository that mirrors one of an upstream of its own, whose settings these are. */
export async function idleMirror(settings: Readonly<Record<string, unknown>> = {}): Promise<IdleMirror> {
  const name = `up${crypto.randomUUID()}.test`;
  const repository = `${name}/team/app`;
  await claimMirror(env.DB, parseRepositoryName(repository), name, Date.now());
  const upstream = { name, url: "http://127.0.0.1:9", private: true, ...settings };
  return { upstream: name, repository, settings: { UPSTREAMS: JSON.stringify([upstream]) } };
}
