/** Spec end-1: the registry speaks this protocol, and the caller is known to it. */
// eslint-disable-next-line @typescript-eslint/require-await -- a handler
export async function ping(): Promise<Response> {
  return Response.json({});
}
