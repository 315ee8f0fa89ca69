/** What a registry asks of who comes without credentials (RFC 9110, section 11.6.1). */
export type Challenge =
  | { readonly scheme: "basic" }
  | {
      readonly scheme: "bearer";
      readonly realm: string;
      readonly service: string | undefined;
      readonly scope: string | undefined;
    };

const TOKEN = /[!#$%&'*+.^_`|~\w-]+/y;
const PARAMETER = /\s*([!#$%&'*+.^_`|~\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]*))\s*,?/y;

/** Reads a WWW-Authenticate header. Bearer goes before Basic; undefined where it asks for neither. */
export function parseChallenge(header: string): Challenge | undefined {
  const found = new Map<string, Map<string, string>>();
  let position = 0;
  while (position < header.length) {
    const scheme = match(TOKEN, header, position);
    if (!scheme) {
      position += 1;
      continue;
    }
    position += scheme[0].length;
    const parameters = new Map<string, string>();
    for (;;) {
      const parameter = match(PARAMETER, header, position);
      if (!parameter) break;
      position += parameter[0].length;
      parameters.set(
        (parameter[1] ?? "").toLowerCase(),
        parameter[2]?.replaceAll(/\\(.)/g, "$1") ?? parameter[3] ?? "",
      );
    }
    found.set(scheme[0].toLowerCase(), parameters);
  }
  const bearer = found.get("bearer");
  const realm = bearer?.get("realm");
  if (realm !== undefined) {
    return { scheme: "bearer", realm, service: bearer?.get("service"), scope: bearer?.get("scope") };
  }
  return found.has("basic") ? { scheme: "basic" } : undefined;
}

function match(pattern: RegExp, text: string, position: number): RegExpExecArray | null {
  pattern.lastIndex = position;
  return pattern.exec(text);
}
