/** Where a header leads; undefined for what is no address. */
export function resolveUrl(target: string | undefined, base: URL): URL | undefined {
  return target !== undefined && URL.canParse(target, base.href) ? new URL(target, base) : undefined;
}

/** Whether one may go on from a URL to another: what came with TLS does not leave without. */
export function mayLead(from: URL, to: URL): boolean {
  return to.protocol === "https:" || (to.protocol === "http:" && from.protocol === "http:");
}
