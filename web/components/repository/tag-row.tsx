import type { TagEntry } from "../../api-types.ts";
import { imageName, pageOf } from "../../address.ts";
import { formatActor, formatBytes, formatPlatform } from "../../format.ts";
import { Age } from "../age.tsx";
import { CopyButton } from "../copy-button.tsx";
import { Digest } from "../digest.tsx";

/** More are counted. */
const PLATFORMS_SHOWN = 4;

interface Props {
  readonly name: string;
  readonly tag: TagEntry;
  readonly isChosen: boolean;
  readonly onChoose: () => void;
  readonly onDelete: ((tag: TagEntry) => void) | undefined;
}

/** A tag in the list of its repository. */
export function TagRow({ name, tag, isChosen, onChoose, onDelete }: Props) {
  const address = { name, tag: tag.name };
  return (
    <tr>
      <td data-label="Compare">
        <input type="checkbox" checked={isChosen} onChange={onChoose} aria-label={`Compare ${tag.name}`} />
      </td>
      <td class="main">
        <span class="row">
          <a href={pageOf(address)}>{tag.name}</a>
          <CopyButton text={`docker pull ${imageName(address)}`} what={`docker pull of ${tag.name}`} />
          {tag.immutable && <span class="badge">immutable</span>}
          {tag.expiresAt !== null && (
            <span class="badge warning">
              ends&nbsp;
              <Age time={tag.expiresAt} />
            </span>
          )}
        </span>
        <span class="quiet small">
          <Digest digest={tag.digest} href={pageOf({ name, digest: tag.digest })} />
        </span>
      </td>
      <td data-label="Platforms">
        <Platforms tag={tag} />
      </td>
      <td class="number" data-label="Size">
        {formatBytes(tag.size)}
      </td>
      <td class="number" data-label="Pushed">
        <span>
          <Age time={tag.updatedAt} />
          {tag.pushedBy !== null && <span class="quiet small block">by {formatActor(tag.pushedBy)}</span>}
        </span>
      </td>
      <td class="number">
        {onDelete && !tag.immutable && (
          <button
            type="button"
            class="button plain small"
            aria-label={`Delete ${tag.name}`}
            onClick={() => onDelete(tag)}
          >
            Delete
          </button>
        )}
      </td>
    </tr>
  );
}

function Platforms({ tag: { kind, artifactType, platforms } }: { readonly tag: TagEntry }) {
  if (kind === "artifact") return <span class="badge">{artifactType ?? "artifact"}</span>;
  if (platforms.length === 0) return <span class="quiet">–</span>;
  const more = platforms.length - PLATFORMS_SHOWN;
  return (
    <span class="platforms">
      {platforms.slice(0, PLATFORMS_SHOWN).map((platform) => (
        <span key={platform.digest} class="badge">
          {formatPlatform(platform)}
        </span>
      ))}
      {more > 0 && (
        <span class="badge" title={platforms.slice(PLATFORMS_SHOWN).map(formatPlatform).join(", ")}>
          +{more}
        </span>
      )}
    </span>
  );
}
