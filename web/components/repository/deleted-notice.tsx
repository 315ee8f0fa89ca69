import { useState } from "preact/hooks";
import { change } from "../../api.ts";
import { plural } from "../../format.ts";
import { forgetResources } from "../../resource.ts";
import { useIsAdmin } from "../../session.tsx";
import { Problem } from "../problem.tsx";

interface Props {
  readonly name: string;
  /** What the tags named. */
  readonly digest: string;
  /** The tags that went; none, if the manifest had none. */
  readonly tags: readonly string[];
  readonly onRestored: () => void;
}

/** Tags went, and can come back: an admin may restore them, as long as what they named is stored. */
export function DeletedNotice({ name, digest, tags, onRestored }: Props) {
  const isAdmin = useIsAdmin();
  const [error, setError] = useState<Error | undefined>(undefined);
  const restore = async () => {
    try {
      for (const tag of tags) await change("POST", "/api/tags/restore", { repository: name, tag, digest });
      forgetResources();
      onRestored();
    } catch (problem) {
      setError(problem instanceof Error ? problem : new Error(String(problem)));
    }
  };
  if (error) return <Problem error={error} />;
  const [only] = tags;
  return (
    <div class="notice good row spread" role="status">
      <span>
        {tags.length === 1 ? (
          <>
            The tag <strong>{only}</strong> is deleted.
          </>
        ) : (
          `The manifest is deleted${tags.length > 0 ? `, and ${plural(tags.length, "tag")} with it` : ""}.`
        )}
      </span>
      {isAdmin && tags.length > 0 && (
        <button type="button" class="button" onClick={() => void restore()}>
          Restore {tags.length === 1 ? "it" : "them"}
        </button>
      )}
    </div>
  );
}
