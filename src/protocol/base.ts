import { type Call, chunkHeaders } from "./call.ts";

/** Spec end-1: the registry speaks this protocol, and the caller is known to it. */
// eslint-disable-next-line @typescript-eslint/require-await -- a handler
export async function ping({ context }: Call): Promise<Response> {
  return Response.json({}, { headers: chunkHeaders(context) });
}
