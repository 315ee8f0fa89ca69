import type { Save } from "../../save.ts";
import { Problem } from "../problem.tsx";

type Props = Omit<Save, "save"> & { readonly label: string; readonly isUnchanged?: boolean };

/** Sends a form, and says how that went. */
export function SaveButton({ label, isBusy, isDone, error, isUnchanged = false }: Props) {
  return (
    <div class="stack-tight">
      {error && <Problem error={error} />}
      <div class="row">
        <button type="submit" class="button" aria-disabled={isBusy} disabled={isUnchanged}>
          {label}
        </button>
        <span role="status" class="quiet small">
          {isDone ? "Saved" : ""}
        </span>
      </div>
    </div>
  );
}
