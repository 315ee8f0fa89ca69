/** `team/*, app-*` or one a line → each; an empty text is none. */
export const listOf = (text: string): string[] => text.split(/[\s,]+/).filter((entry) => entry !== "");

/** Each on a line of its own. */
export const linesOf = (text: string): string[] =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");

/** What a shell takes for one word as it is. */
const WORD = /^[\w@%+=:,./-]+$/;

const quoted = (word: string): string => (WORD.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`);

const LOOPBACK = new Set(["127.0.0.1", "[::1]", "localhost"]);

/** A command of the command line, for the registry at `origin`; one that runs on the same machine is found by itself. */
export function stowageCommand(origin: string, args: readonly string[]): string {
  const { hostname, protocol, host } = new URL(origin);
  const where = LOOPBACK.has(hostname) ? [] : ["--registry", protocol === "https:" ? host : origin];
  return ["npx", "stowage", ...args, ...where].map(quoted).join(" ");
}
