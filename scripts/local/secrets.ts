import { randomBytes, randomInt } from "node:crypto";
import { chmodSync, closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { codeOf, Failure } from "./failure.ts";

/** The secret that is the password of the account `admin`. */
export const ADMIN_PASSWORD = "ADMIN_PASSWORD";

/** Letters and digits that nobody takes for one another: without 0 o, 1 i l. */
const PASSWORD_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789";
/** 24 letters of 31: 118 bits. */
const PASSWORD_LENGTH = 24;
const SECRET_BYTES = 32;

const SecretsSchema = v.record(v.string(), v.string());

/** The Worker's secrets, and which of them this run has made. */
export interface Secrets {
  values: Readonly<Record<string, string>>;
  made: ReadonlySet<string>;
  path: string;
}

/** Reads the secrets of the data folder; those that are missing are made and kept, readable by their owner alone. */
export function loadSecrets(folder: string, names: readonly string[]): Secrets {
  const path = join(folder, "secrets.json");
  const values = readSecrets(path);
  const made = names.filter((name) => !Object.hasOwn(values, name));
  for (const name of made) values[name] = name === ADMIN_PASSWORD ? makePassword() : makeSecret();
  if (made.length > 0) writeSecrets(path, values);
  return { values, made: new Set(made), path };
}

/** A password to read and type. */
function makePassword(): string {
  return Array.from({ length: PASSWORD_LENGTH }, () => PASSWORD_ALPHABET[randomInt(PASSWORD_ALPHABET.length)]).join("");
}

function makeSecret(): string {
  return randomBytes(SECRET_BYTES).toString("base64");
}

function readSecrets(path: string): Record<string, string> {
  try {
    const secrets = v.parse(SecretsSchema, JSON.parse(readFileSync(path, "utf8")));
    chmodSync(path, 0o600);
    return secrets;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return {};
    if (codeOf(error) !== undefined) throw error;
    throw new Failure(`${path} is not the file that Stowage wrote: mend it, or move it away to have new secrets made`);
  }
}

/** Written beside, flushed and renamed: a crash leaves the old file or the new one. */
function writeSecrets(path: string, secrets: Readonly<Record<string, string>>): void {
  const temporary = `${path}.new`;
  const file = openSync(temporary, "w", 0o600);
  try {
    writeSync(file, `${JSON.stringify(secrets, null, 2)}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  chmodSync(temporary, 0o600);
  renameSync(temporary, path);
}
