import { lazy, useLocation } from "preact-iso";
import { parseAddress } from "../address.ts";
import { RepositoryPage } from "./repository.tsx";

const ImagePage = lazy(async () => (await import("./image.tsx")).ImagePage);

/** `/r/…`: a repository, or what a tag or a digest names in it. */
export function ReferencePage() {
  const { path } = useLocation();
  const address = parseAddress(decoded(path.slice("/r/".length)));
  const isRepository = address.tag === undefined && address.digest === undefined;
  return isRepository ? <RepositoryPage key={address.name} name={address.name} /> : <ImagePage address={address} />;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
