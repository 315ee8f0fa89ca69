import { styleText } from "node:util";
import Table from "cli-table3";
import { Failure } from "../local/failure.ts";
import type { Environment } from "./environment.ts";
import { plain, plainJson, relativeTime } from "./text.ts";

/** A cell of a table; a time is written for its reader. */
export type Cell = string | { readonly time: string | null; readonly none: string };

/** What it depends on where and how something is printed. */
type Surroundings = Pick<Environment, "env" | "stdout" | "stderr" | "now">;

const PRINTABLE_ASCII = /^[ -~]+$/;

const BORDERLESS = {
  ...{ top: "", "top-mid": "", "top-left": "", "top-right": "" },
  ...{ bottom: "", "bottom-mid": "", "bottom-left": "", "bottom-right": "" },
  ...{ left: "", "left-mid": "", mid: "", "mid-mid": "", right: "", "right-mid": "", middle: "   " },
};

/**
 * What a command says. Results go to stdout, in full wherever it leads; what only accompanies them goes to stderr, and only
 * to a terminal.
 */
export class Output {
  readonly #environment: Surroundings;
  #hasPrinted = false;

  constructor(environment: Surroundings) {
    this.#environment = environment;
  }

  /** One document. */
  json(value: unknown): void {
    this.#print(plainJson(value));
  }

  /** The title of the table that follows, apart from what came before. */
  section(title: string): void {
    if (this.#hasPrinted) this.#print("");
    this.#print(this.#bold(plain(title)));
  }

  /** A list; `none` is said of an empty one. */
  table(head: readonly string[], rows: readonly (readonly Cell[])[], none: string): void {
    if (rows.length === 0) this.note(none);
    else this.#printTable([head.map((title) => this.#bold(title)), ...this.#format(rows)]);
  }

  /** What there is to say of one thing. */
  fields(fields: readonly (readonly [name: string, value: Cell])[]): void {
    this.#printTable(this.#format(fields).map(([name = "", value = ""]) => [this.#bold(name), value]));
  }

  /**
   * A secret that is shown this once: alone on stdout, for `TOKEN=$(stowage …)`, explained on stderr even to a log. It cannot
   * be escaped, as it is to be used.
   * @throws Failure for one that no registry makes, and no terminal should get.
   */
  secret(secret: string, explanation: string): void {
    if (!PRINTABLE_ASCII.test(secret)) {
      throw new Failure(
        "what the registry made is no secret of letters and digits, and may be an attack: --json shows it",
      );
    }
    this.#print(secret);
    this.#tell(explanation);
  }

  /** What only somebody who watches wants to know, such as that it is done. */
  note(text: string): void {
    if (this.#environment.stderr.isTTY === true) this.#tell(text);
  }

  /** Work that takes long: a line on the terminal tells how far it is, and goes when it ends in whatever way. */
  async progress<T>(work: (tell: (text: string) => void) => Promise<T>): Promise<T> {
    const { stderr, env } = this.#environment;
    if (stderr.isTTY !== true || env.TERM === "dumb") return await work(() => undefined);
    const write = (text: string) => stderr.write(`\r\u001b[K${text}`);
    try {
      return await work((text) => write(plain(text)));
    } finally {
      write("");
    }
  }

  /** A time as the table shows it, within a sentence. */
  time(time: string): string {
    const { stdout, now } = this.#environment;
    return stdout.isTTY === true ? relativeTime(time, now()) : plain(time);
  }

  #format(rows: readonly (readonly Cell[])[]): string[][] {
    return rows.map((row) =>
      row.map((cell) => {
        if (typeof cell === "string") return plain(cell);
        return cell.time === null ? cell.none : this.time(cell.time);
      }),
    );
  }

  #printTable(rows: readonly string[][]): void {
    const style = { "padding-left": 0, "padding-right": 0, head: [], border: [] };
    const table = new Table({ chars: BORDERLESS, style });
    table.push(...rows);
    this.#print(table.toString().replaceAll(/ +$/gm, ""));
  }

  #bold(text: string): string {
    const { stdout, env } = this.#environment;
    const isColoured = stdout.isTTY === true && (env.NO_COLOR ?? "") === "" && env.TERM !== "dumb";
    return isColoured ? styleText("bold", text, { validateStream: false }) : text;
  }

  #print(text: string): void {
    this.#hasPrinted = true;
    this.#environment.stdout.write(`${text}\n`);
  }

  #tell(line: string): void {
    this.#environment.stderr.write(`${plain(line)}\n`);
  }
}
