import type { Context } from "../context.ts";

/** Below these, and below all that begins with a dot, what no route knows is an error in the words of the API. */
const NO_PAGES = /^\/(?:v1|v2|api|token|archive|mirror|healthz|readyz|metrics|\.[^/]*)(?:\/|$)/;

/** Scripts and styles, whose names say what is in them. */
const ASSETS = "/assets/";

/** An asset's headers cannot be changed, and every answer gets some more. */
function toAnswer(found: Response): Response | undefined {
  return found.status === 404 ? undefined : new Response(found.body, found);
}

/**
 * The web page, or a file that it is made of, where no route is: every path that is no file is one of the page, which knows itself
 * what to show there. Undefined where it would be no answer to the request, and where there is no page. On Cloudflare, files are
 * served before the Worker is asked.
 *
 * A file that is missing is not answered with the page: browsers would keep that for a year, under the headers of its path.
 */
export async function findPage(request: Request, { assets }: Context): Promise<Response | undefined> {
  if (assets === undefined || !["GET", "HEAD"].includes(request.method)) return undefined;
  const { pathname } = new URL(request.url);
  if (NO_PAGES.test(pathname)) return undefined;
  const file = toAnswer(await assets.fetch(request));
  if (file || pathname.startsWith(ASSETS)) return file;
  return toAnswer(await assets.fetch(new Request(new URL("/", request.url), request)));
}
