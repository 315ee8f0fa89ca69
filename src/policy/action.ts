/** What one may do with a repository; the words of Docker's token scopes. */
export type Action = "pull" | "push" | "delete";

/** All of them, in the order in which they are written. */
export const ACTIONS: readonly Action[] = ["pull", "push", "delete"];

/** True for the name of an action. */
export function isAction(text: string): text is Action {
  return (ACTIONS as readonly string[]).includes(text);
}
