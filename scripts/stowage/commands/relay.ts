import type { Endpoint } from "../../distribution/endpoint.ts";
import { allowCollections } from "../../local/pieces.ts";
import { onStop } from "../../local/stop.ts";
import type { Broken, Finished, Report } from "../../relay/report.ts";
import { parsePort, parseSize } from "../arguments.ts";
import { example, type Noun } from "../noun.ts";
import { showProgress } from "../progress-bars.ts";
import type { Session } from "../session.ts";
import { formatSize, plain } from "../text.ts";

interface RelayOptions {
  readonly port: number;
  /** Bytes. */
  readonly chunkSize?: number;
  readonly credentials: boolean;
}

const ABOUT = `
Cloudflare takes no request of more than 100 MB (Free and Pro), and docker, podman and containerd send a layer in one. The relay is a
registry on this machine that passes everything on to the real one, and large layers in pieces. Who has logged in to it, with docker
login 127.0.0.1:5555, is at the real one who they say; all others on this machine are who you are, unless --no-credentials says no.
`;

/** A registry on this machine, by which layers of any size get past the edge's limit. */
export const relay: Noun = (program, act) => {
  program
    .command("relay")
    .description("let docker, podman and others push layers of any size, through a port of this machine")
    .option("--port <port>", "where it listens, on the loopback alone; 0 picks a free one", parsePort, 5555)
    .option("--chunk-size <size>", "what one request holds at most (default: what the registry says)", parseSize)
    .option("--no-credentials", "lend nobody your credentials: clients log in themselves")
    .addHelpText(
      "after",
      ABOUT + example("stowage relay", "stowage relay --port 5000 --registry https://registry.example.org"),
    )
    .action(act(run));
};

async function run(session: Session, options: RelayOptions): Promise<void> {
  const endpoint = await session.endpoint();
  const { timeoutMs, patience } = session.environment;
  // What it takes is loaded now: no other command should wait for it.
  const [{ Agent }, { Relay }, { Upstream }, { BodyLimit }] = await Promise.all([
    import("undici"),
    import("../../relay/relay.ts"),
    import("../../relay/upstream.ts"),
    import("../../distribution/body-limit.ts"),
  ]);
  allowCollections();
  const agent = new Agent({ connect: { timeout: timeoutMs } });
  const upstream = new Upstream(endpoint, agent, timeoutMs);
  const lent = options.credentials ? endpoint.credentials : undefined;
  const { report, stop } = await showReport(session);
  const limit = new BodyLimit(options.chunkSize ?? Infinity);
  const relay = new Relay(upstream, { limit, patience, report, lent });
  const port = await relay.open(options.port);
  announce(session, endpoint, port, lent !== undefined);
  const stopping = onStop(async () => {
    await relay.close();
    stop();
    await agent.destroy();
  });
  await new Promise((resolve) => {
    stopping.addEventListener("abort", resolve);
  });
}

function announce(session: Session, { host, credentials }: Endpoint, port: number, isLent: boolean): void {
  const address = `127.0.0.1:${port}`;
  if (session.isJson) {
    session.environment.stdout.write(`${JSON.stringify({ relay: address, registry: host })}\n`);
    return;
  }
  const who = isLent && credentials ? `yours, of ${credentials.source}` : `none: docker login ${address}`;
  const rows = [
    ["Relay to", host],
    ["Credentials", who],
    ["Push", `docker tag IMAGE ${address}/IMAGE`],
    ["", `docker push ${address}/IMAGE`],
    ["Stop", "Ctrl-C"],
  ] as const;
  const lines = rows.map(([label, text]) => `  ${label.padEnd(13)}${plain(text)}\n`);
  session.environment.stdout.write(`\n${lines.join("")}\nThe relay is ready on http://${address}\n`);
}

/** Bars on a terminal, a line for each layer elsewhere; for machines a document in each line. */
async function showReport({ environment, isJson }: Session): Promise<{ report: Report; stop: () => unknown }> {
  const { progress, stop } = await showProgress(environment);
  const { stdout, stderr } = environment;
  const isWatched = stderr.isTTY === true && !isJson;
  const write = (document: Finished | Broken, words: string) => {
    if (!isWatched) stdout.write(`${isJson ? JSON.stringify(document) : plain(words)}\n`);
  };
  const report: Report = {
    begin: (label, bytes) => progress.begin(label, bytes),
    finished: (blob) => {
      const { repository, digest, bytes, seconds } = blob;
      write(blob, `${repository}  ${digest}  ${formatSize(bytes)} in ${seconds.toFixed(1)} s`);
    },
    broken: (upload) => {
      const words = `${upload.repository}  failed: ${upload.error}`;
      if (isWatched) stderr.write(`${plain(words)}\n`);
      else write(upload, words);
    },
  };
  return { report, stop };
}
