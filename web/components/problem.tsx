import { ApiError } from "../api.ts";

/** What went wrong, in the registry's words, and a way to try again. */
export function Problem({ error, onRetry }: { readonly error: Error; readonly onRetry?: () => void }) {
  const detail = error instanceof ApiError ? error.message : `The page has failed: ${error.message}`;
  return (
    <div class="notice danger row spread" role="alert">
      <span>{sentence(detail)}</span>
      {onRetry && (
        <button type="button" class="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}

/** The registry's messages begin small, as those of the protocol do. */
function sentence(text: string): string {
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}
