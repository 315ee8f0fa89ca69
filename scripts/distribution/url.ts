/** Where a header leads; undefined for what is no address. */
export function resolveUrl(target: string | undefined, base: URL): URL | undefined {
  return target !== undefined && URL.canParse(target, base.href) ? new URL(target, base) : undefined;
}
