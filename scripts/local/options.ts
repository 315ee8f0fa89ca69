import { parseArgs } from "node:util";
import { parseSize } from "../../src/oci/size.ts";
import { Failure, reasonOf } from "./failure.ts";

/** The help of `npm start`. */
export const USAGE = `Serve the registry on this machine.

  npm start -- [--host 127.0.0.1] [--port 8787] [--data .stowage] [--var NAME:VALUE]...

  --host HOST        the address to listen on
  --port PORT        the port to listen on; 0 picks a free one
  --data FOLDER      where images, database and secrets lie
  --var NAME:VALUE   a setting of wrangler.toml, for this run
  --limit-body SIZE  refuse larger requests, as Cloudflare's edge does: 100MB on Free and Pro
  --watch            build and load the Worker again when its source changes (npm run dev)
  --help             this text

STOWAGE_ADMIN_PASSWORD in the environment sets the password of the account admin.

Example:  npm start -- --port 5000 --var UPLOAD_TTL:1h
`;

/** What the command line asks for. */
export interface Options {
  host: string;
  port: number;
  data: string;
  vars: ReadonlyMap<string, string>;
  /** Bytes of one request's body; undefined: as many as come. */
  limitBody: number | undefined;
  watch: boolean;
  help: boolean;
}

/** Reads the command line; a wrong flag or value is a `Failure` with exit code 2. */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parseFlags(args);
  if (values.host === "") throw misuse("--host needs an address, for example --host 127.0.0.1");
  if (values.data === "") throw misuse("--data needs a folder, for example --data .stowage");
  return {
    host: values.host.replace(/^\[(.*)\]$/, "$1"),
    port: parsePort(values.port),
    data: values.data,
    vars: new Map(values.var.map(parseVar)),
    limitBody: values["limit-body"] === undefined ? undefined : parseLimit(values["limit-body"]),
    watch: values.watch,
    help: values.help,
  };
}

function parseFlags(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        host: { type: "string", default: "127.0.0.1" },
        port: { type: "string", default: "8787" },
        data: { type: "string", default: ".stowage" },
        var: { type: "string", multiple: true, default: [] },
        "limit-body": { type: "string" },
        watch: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
  } catch (error) {
    const [sentence = ""] = reasonOf(error).split(/\. /, 1);
    throw misuse(`${sentence.replace(/\.$/, "")}; see npm start -- --help`);
  }
}

function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (!(port <= 65_535)) throw misuse(`--port must be a number from 0 to 65535, not '${text}'`);
  return port;
}

function parseVar(text: string): [name: string, value: string] {
  const colon = text.indexOf(":");
  if (colon < 1) throw misuse(`--var must be NAME:VALUE, for example UPLOAD_TTL:1h, not '${text}'`);
  return [text.slice(0, colon), text.slice(colon + 1)];
}

function parseLimit(text: string): number {
  const bytes = parseSize(text);
  if (bytes === undefined || bytes === 0) throw misuse(`--limit-body must be a size such as 100MB, not '${text}'`);
  return bytes;
}

function misuse(message: string): Failure {
  return new Failure(message, 2);
}
