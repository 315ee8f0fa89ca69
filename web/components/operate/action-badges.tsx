import type { Action } from "../../api-types.ts";

/** What may be done. */
export function ActionBadges({ actions }: { readonly actions: readonly Action[] }) {
  return (
    <span class="badges">
      {actions.map((action) => (
        <span key={action} class={action === "delete" ? "badge warning" : "badge"}>
          {action}
        </span>
      ))}
    </span>
  );
}
