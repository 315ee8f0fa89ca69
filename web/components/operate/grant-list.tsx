import type { Grant } from "../../operate/answers.ts";
import { ActionBadges } from "./action-badges.tsx";

/** Patterns, with what may be done there. */
export function GrantList({ grants }: { readonly grants: readonly Grant[] }) {
  if (grants.length === 0) return <span class="quiet">nothing</span>;
  return (
    <ul class="stack-tight">
      {grants.map(({ repository, actions }) => (
        <li key={repository} class="row">
          <code class="wrap">{repository}</code>
          <ActionBadges actions={actions} />
        </li>
      ))}
    </ul>
  );
}
