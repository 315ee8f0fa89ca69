import { type Address, parseAddress } from "../address.ts";

/**
 * What somebody means by `1.3`, `sha256:…`, `:1.3`, `team/app:1.3` or `registry.example.org/team/app@sha256:…`.
 * @param name the repository that is meant where none is named.
 * @param host this registry's, which may stand before a name.
 * @returns undefined for nothing, and for a repository without a tag or digest.
 */
export function parseOther(text: string, name: string, host: string): Address | undefined {
  const typed = text.trim().replace(/^(docker:\/\/|https?:\/\/)/, "");
  const bare = typed.startsWith(`${host}/`) ? typed.slice(host.length + 1) : typed;
  if (/^@?\w+:[0-9a-f]{32,}$/.test(bare)) return { name, digest: bare.replace("@", "") };
  if (/^:?[\w][\w.-]*$/.test(bare)) return { name, tag: bare.replace(":", "") };
  const other = parseAddress(bare);
  return other.name !== "" && (other.tag ?? other.digest ?? "") !== "" ? other : undefined;
}
