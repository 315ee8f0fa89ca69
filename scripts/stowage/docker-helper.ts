import { execFile, type ExecFileException } from "node:child_process";
import * as v from "valibot";
import { reasonOf } from "../local/failure.ts";
import type { CredentialFinding } from "./docker-config.ts";
import type { Environment } from "./environment.ts";

const AnswerSchema = v.object({ Username: v.string(), Secret: v.string() });

/** The username with which a helper says that the secret is an identity token. */
const IDENTITY_TOKEN = "<token>";

/** What every helper says of a host that it does not know, beside exit code 1. */
const NOT_FOUND = /credentials not found/i;

/**
 * Asks a credential helper of Docker's: `docker-credential-NAME get`, the host on stdin, JSON on stdout. Never throws: what
 * goes wrong is a problem to tell when nothing else is found.
 */
export async function askHelper(
  name: string,
  host: string,
  { env, helperTimeoutMs }: Pick<Environment, "env" | "helperTimeoutMs">,
): Promise<CredentialFinding> {
  const program = `docker-credential-${name}`;
  // A path would run a program of the configuration's choice; Docker takes names on PATH alone.
  if (!/^[\w.-]+$/.test(name)) return { problem: `${program} is no name of a credential helper` };
  const { error, stdout } = await run(program, host, env, helperTimeoutMs);
  if (error && NOT_FOUND.test(stdout)) return {};
  if (error) return { problem: `${program} ${describe(error, stdout, helperTimeoutMs)}` };
  try {
    const { Username: username, Secret: secret } = v.parse(AnswerSchema, JSON.parse(stdout));
    const credentials =
      username === IDENTITY_TOKEN
        ? ({ kind: "identity token", token: secret, source: program } as const)
        : ({ kind: "password", username, password: secret, source: program } as const);
    return { credentials };
  } catch {
    return { problem: `${program} answered something else than credentials` };
  }
}

async function run(
  program: string,
  input: string,
  env: Environment["env"],
  timeout: number,
): Promise<{ error: ExecFileException | null; stdout: string }> {
  return await new Promise((resolve) => {
    const options = { env, timeout, killSignal: "SIGKILL" } as const;
    const child = execFile(program, ["get"], options, (error, stdout) => resolve({ error, stdout }));
    // One that does not read its input closes the pipe; what matters is what it says.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(input);
  });
}

function describe(error: ExecFileException, stdout: string, timeoutMs: number): string {
  if (error.code === "ENOENT") return "is not installed";
  if (error.killed === true) return `did not answer within ${timeoutMs / 1000} seconds`;
  if (typeof error.code === "number") return `failed: ${reasonOf(stdout.trim()) || `exit code ${error.code}`}`;
  return `cannot be run: ${reasonOf(error)}`;
}
