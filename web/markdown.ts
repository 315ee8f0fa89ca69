import { micromark } from "micromark";
import { gfm, gfmHtml } from "micromark-extension-gfm";

/** Headings of the text stand below those of the page. */
const DEMOTED = 1;

/**
 * Markdown as nodes for the page. Raw HTML and addresses of other kinds than http(s) and mailto are text; pictures are links, as the
 * page loads nothing from elsewhere.
 */
export function renderMarkdown(text: string): DocumentFragment {
  const html = micromark(text, { extensions: [gfm()], htmlExtensions: [gfmHtml()] });
  const { body } = new DOMParser().parseFromString(html, "text/html");
  for (const picture of body.querySelectorAll("img")) picture.replaceWith(linkTo(picture));
  for (const link of body.querySelectorAll("a")) link.rel = "noreferrer nofollow";
  for (const heading of body.querySelectorAll("h1, h2, h3, h4, h5")) demote(heading);
  for (const cell of body.querySelectorAll("th:empty")) cell.replaceWith(document.createElement("td"));
  for (const block of body.querySelectorAll("pre")) block.tabIndex = 0;
  const fragment = document.createDocumentFragment();
  fragment.append(...body.childNodes);
  return fragment;
}

function linkTo(picture: HTMLImageElement): HTMLAnchorElement {
  const link = document.createElement("a");
  link.href = picture.src;
  link.textContent = picture.alt === "" ? "picture" : picture.alt;
  return link;
}

function demote(heading: Element): void {
  const level = Math.min(6, Number(heading.tagName.slice(1)) + DEMOTED);
  const demoted = document.createElement(`h${level}`);
  demoted.append(...heading.childNodes);
  heading.replaceWith(demoted);
}
