import { shortDigest } from "../format.ts";
import { CopyButton } from "./copy-button.tsx";

/** A digest, short, with the whole of it to be copied; a link to what it names where there is a page. */
export function Digest({ digest, href }: { readonly digest: string; readonly href?: string }) {
  const short = shortDigest(digest);
  return (
    <span class="digest" title={digest}>
      {href === undefined ? short : <a href={href}>{short}</a>}
      <CopyButton text={digest} what={`the digest ${short}`} />
    </span>
  );
}
