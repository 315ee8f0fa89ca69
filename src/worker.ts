import { type Config, configOf } from "./config.ts";
import type { Context } from "./context.ts";
import { runSchedule } from "./lifecycle/schedule.ts";
import { logError } from "./log.ts";
import { MirrorMemory } from "./mirror/memory.ts";
import { addCorsHeaders, answerPreflight, isPreflight } from "./protocol/cors.ts";
import { toErrorResponse } from "./protocol/errors.ts";
import { PullCounts } from "./registry/pull-counts.ts";
import { Recent } from "./registry/recent.ts";
import { route } from "./routes.ts";
import { EdgeCache, newWrites } from "./storage/edge-cache.ts";

const recent = new Recent();
const pulls = new PullCounts();
const mirror = new MirrorMemory();
const writes = newWrites();

/** The data centre's cache. Under workers.dev there is none: it takes everything and keeps nothing. */
function edgeOf({ blobCache }: Config, request: Request | undefined): EdgeCache | undefined {
  if (!blobCache || request === undefined) return undefined;
  const { origin, hostname } = new URL(request.url);
  return hostname.endsWith(".workers.dev") ? undefined : new EdgeCache(origin, writes);
}

function contextOf(env: Env, execution: Pick<ExecutionContext, "waitUntil">, request?: Request): Context {
  const config = configOf(env);
  return {
    config,
    db: env.DB,
    replica: config.readReplicas ? env.DB.withSession("first-unconstrained") : undefined,
    bucket: env.BUCKET,
    assets: env.ASSETS,
    recent,
    pulls,
    mirror,
    // Few requests ask for bytes: only those pay for the parsing of their URL.
    get edge() {
      return edgeOf(config, request);
    },
    now: Date.now,
    // Called as a method of anything else, the runtime's fetch fails.
    fetch: async (input, init) => await fetch(input, init),
    limiters: { narrow: env.LOGIN_FAILURES, wide: env.LOGIN_FAILURES_WIDE },
    defer: (work) => execution.waitUntil(work.catch((error: unknown) => logError("deferred work failed", error))),
  };
}

/** Every answer, good or bad, with the headers that every answer has. */
async function respond(request: Request, env: Env, execution: ExecutionContext): Promise<Response> {
  const response = await answer(request, env, execution);
  // Old clients take a registry without this header for one of an older protocol.
  response.headers.set("Docker-Distribution-API-Version", "registry/2.0");
  response.headers.set("X-Content-Type-Options", "nosniff");
  // Lists and refusals are one caller's, and true for now.
  if (!response.headers.has("Cache-Control")) response.headers.set("Cache-Control", "private, no-cache");
  return response;
}

async function answer(request: Request, env: Env, execution: ExecutionContext): Promise<Response> {
  try {
    const context = contextOf(env, execution, request);
    const response = isPreflight(request, context.config) ? answerPreflight() : await routeOrExplain(request, context);
    addCorsHeaders(response, request, context.config);
    return response;
  } catch (error) {
    return toErrorResponse(error, request);
  }
}

async function routeOrExplain(request: Request, context: Context): Promise<Response> {
  try {
    return await route(request, context);
  } catch (error) {
    return toErrorResponse(error, request);
  }
}

export default {
  async fetch(request, env, execution) {
    const response = respond(request, env, execution);
    // A client that goes away must not end the work that keeps what it sent.
    execution.waitUntil(response);
    return await response;
  },

  async scheduled(_controller, env, execution) {
    await runSchedule(contextOf(env, execution));
  },
} satisfies ExportedHandler<Env>;
