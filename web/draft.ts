import { useState } from "preact/hooks";

/** What a form holds, and how each of its members is set. */
export type Draft<T> = readonly [
  draft: T,
  set: <K extends keyof T>(name: K, value: T[K]) => void,
  put: (draft: T) => void,
];

/** A form that begins with something. */
export function useDraft<T extends object>(first: T): Draft<T> {
  const [draft, put] = useState(first);
  const set = <K extends keyof T>(name: K, value: T[K]) => put((before) => ({ ...before, [name]: value }));
  return [draft, set, put];
}
