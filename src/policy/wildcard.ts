/**
 * Whether the text is the pattern, in which `*` stands for any characters, none included. Takes each part at its first
 * place, so that its time is bounded whatever the token's author writes; a regular expression's would not be.
 */
export function matchesWildcards(pattern: string, text: string): boolean {
  const [head = "", ...rest] = pattern.split("*");
  const tail = rest.pop();
  if (tail === undefined) return text === pattern;
  if (text.length < head.length + tail.length || !text.startsWith(head) || !text.endsWith(tail)) return false;
  const middle = text.slice(head.length, text.length - tail.length);
  let position = 0;
  for (const part of rest) {
    const found = middle.indexOf(part, position);
    if (found < 0) return false;
    position = found + part.length;
  }
  return true;
}
