import type { Context } from "../context.ts";
import { type RateLimit, recordAnswer, recordFailure } from "../metadata/upstream-status.ts";
import { type Digest, isDigest } from "../oci/digest.ts";
import { OciError } from "../oci/error.ts";
import { formatImageName, type ImageName } from "../oci/image-name.ts";
import { addressIn, type Upstream } from "../policy/upstream.ts";
import { problem } from "./transport.ts";
import { UpstreamError } from "./upstream-error.ts";
import { askForManifest } from "./upstream-manifests.ts";
import { rateLimitOf } from "./upstream-status.ts";
import { answerChallenge } from "./upstream-token.ts";
import { sendAuthorized } from "./upstream.ts";

/** What came of asking an upstream. */
export interface UpstreamCheck {
  readonly ok: boolean;
  /** What it said, or what went wrong; it names no secret. */
  readonly message: string;
  /** From the first request to the last answer. */
  readonly milliseconds: number;
  /** What the image's tag names there. */
  readonly digest: Digest | undefined;
  readonly rateLimit: RateLimit | undefined;
}

/**
 * Asks an upstream now, whatever is known of it: for an image, as a client that looks for its tag; else whether it is there and lets us
 * in. Up to three requests, and one D1 query that notes what came of it.
 * @throws OciError NOT_FOUND where no upstream has this name; REQUEST_INVALID for an image that the settings let nobody mirror.
 */
export async function checkUpstream(context: Context, name: string, image?: ImageName): Promise<UpstreamCheck> {
  const upstream = context.config.upstreams.find((each) => each.name === name);
  if (upstream === undefined) throw new OciError("NOT_FOUND", { message: `there is no upstream ${name}` });
  const startedAt = context.now();
  const took = () => context.now() - startedAt;
  try {
    const { message, headers } = image ? await askForImage(context, upstream, image) : await ping(context, upstream);
    const milliseconds = took();
    const rateLimit = rateLimitOf(headers);
    context.mirror.resume(name);
    await recordAnswer(context.db, name, rateLimit, context.now());
    const digest = headers.get("Docker-Content-Digest") ?? "";
    return { ok: true, message, milliseconds, digest: isDigest(digest) ? digest : undefined, rateLimit };
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    const milliseconds = took();
    // An image that is not there, or not for us, says nothing against the upstream.
    const isOfImage = image !== undefined && (error.problem === "unknown" || error.problem === "refused");
    if (!isOfImage) await recordFailure(context.db, name, error.message, context.now());
    return { ok: false, message: error.message, milliseconds, digest: undefined, rateLimit: undefined };
  }
}

interface Answer {
  readonly message: string;
  readonly headers: Headers;
}

async function askForImage(context: Context, upstream: Upstream, image: ImageName): Promise<Answer> {
  const address = addressIn(upstream, image.repository);
  if (address === undefined) {
    const message = `${image.repository} is none of the repositories of ${upstream.name} that may be mirrored`;
    throw new OciError("REQUEST_INVALID", { message });
  }
  const headers = await askForManifest(context, address, image.reference);
  const found = formatImageName({ ...image, repository: address.remote });
  return { message: `${upstream.name} has ${found}`, headers };
}

/**
 * The spec's end-1, with the credentials of the settings: no token that is known, as they may be wrong by now. Some registries answer
 * nobody here, and still let anyone pull what is public.
 */
async function ping(context: Context, upstream: Upstream): Promise<Answer> {
  const outgoing = { method: "GET", url: new URL(`${upstream.url}/v2/`), headers: {} } as const;
  try {
    const response = await sendAuthorized(context, upstream, outgoing, undefined, async (headers) => {
      return (await answerChallenge(context, upstream, headers)).authorization;
    });
    const { status, headers } = response;
    await response.body?.cancel().catch(() => undefined);
    if (status === 401) throw new UpstreamError("refused", `${upstream.name} does not accept its credentials`);
    if (status !== 200) throw problem(upstream, `answers a request for /v2/ with status ${status}`);
    const how = upstream.credentials ? "accepts its credentials" : "lets anyone in";
    return { message: `${upstream.name} answers, and ${how}`, headers };
  } catch (error) {
    const isShy = error instanceof UpstreamError && error.problem === "refused" && !upstream.credentials;
    if (!isShy) throw error;
    const message = `${upstream.name} answers; what anyone may pull there, only a check with an image can tell`;
    return { message, headers: new Headers() };
  }
}
