import { useLayoutEffect, useRef } from "preact/hooks";
import { renderMarkdown } from "../../markdown.ts";

/** What somebody wrote, in Markdown. */
export function Markdown({ text }: { readonly text: string }) {
  const place = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => place.current?.replaceChildren(renderMarkdown(text)), [text]);
  return <div ref={place} class="prose" />;
}
