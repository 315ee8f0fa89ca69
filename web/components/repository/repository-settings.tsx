import type { ComponentChildren } from "preact";
import { useLocation } from "preact-iso";
import { useId, useState } from "preact/hooks";
import { change, get, inPath } from "../../api.ts";
import type { Readme, RepositoryDetails } from "../../api-types.ts";
import { formatBytes, plural } from "../../format.ts";
import { useOwnResource } from "../../own-resource.ts";
import { useSave } from "../../save.ts";
import { ConfirmDialog } from "../forms/confirm-dialog.tsx";
import { Problem } from "../problem.tsx";
import { SaveButton } from "../forms/save-button.tsx";

interface Props {
  readonly repository: RepositoryDetails;
  /** Called when a setting has changed. */
  readonly onChange: () => void;
}

/** What an admin can change of a repository. */
export function RepositorySettings({ repository, onChange }: Props) {
  return (
    <section class="stack" aria-label="Settings">
      <VisibilitySetting {...{ repository, onChange }} />
      <TagSettings {...{ repository, onChange }} />
      <DescriptionSetting {...{ repository, onChange }} />
      <ReadmeSetting name={repository.name} onChange={onChange} />
      <Deletion repository={repository} />
    </section>
  );
}

const pathOf = ({ name }: RepositoryDetails): string => `/api/repositories/${inPath(name)}`;

interface SettingFormProps {
  readonly action: string;
  /** Sends it; what this throws is shown. */
  readonly onSave: () => Promise<void>;
  readonly isUnchanged?: boolean;
  readonly children: ComponentChildren;
}

/** Settings that are sent together. */
function SettingForm({ action, onSave, isUnchanged = false, children }: SettingFormProps) {
  const { save, ...state } = useSave(onSave);
  const submit = (event: Event) => {
    event.preventDefault();
    void save();
  };
  return (
    <form class="panel stack" onSubmit={submit}>
      {children}
      <SaveButton {...state} label={action} isUnchanged={isUnchanged} />
    </form>
  );
}

function VisibilitySetting({ repository, onChange }: Props) {
  const isPublic = repository.visibility === "public";
  const { save, isBusy, error } = useSave(async () => {
    await change("PATCH", pathOf(repository), { visibility: isPublic ? "private" : "public" });
    onChange();
  });
  return (
    <div class="panel stack-tight">
      <h2>Visibility</h2>
      <p>
        {isPublic
          ? "Public: everybody can pull it, without signing in. Pushing needs a rule, as always."
          : "Private: only who a rule lets pull it can see that it exists."}
      </p>
      {error && <Problem error={error} />}
      <div>
        <button type="button" class="button" aria-disabled={isBusy} onClick={() => void save()}>
          Make it {isPublic ? "private" : "public"}
        </button>
      </div>
    </div>
  );
}

function TagSettings({ repository, onChange }: Props) {
  const { name, immutableTags, expiringTags } = repository;
  const own = immutableTags.find((rule) => rule.repository === name);
  const [isImmutable, setImmutable] = useState(own !== undefined);
  const [except, setExcept] = useState((own?.except ?? []).join(" "));
  const [isExpiring, setExpiring] = useState(expiringTags.some((rule) => rule.repository === name));
  const exceptId = useId();
  const save = async () => {
    const exceptTags = except.split(/[\s,]+/).filter((pattern) => pattern !== "");
    const immutable = isImmutable ? { immutableTags: true, exceptTags } : { immutableTags: false };
    await change("PATCH", pathOf(repository), { ...immutable, expiringTags: isExpiring });
    onChange();
  };
  const wider = [...immutableTags, ...expiringTags]
    .map((rule) => rule.repository)
    .filter((pattern) => pattern !== name);
  return (
    <SettingForm action="Save tags" onSave={save}>
      <h2>Tags</h2>
      <label class="check">
        <input type="checkbox" checked={isImmutable} onChange={() => setImmutable(!isImmutable)} />
        <span>Immutable: a tag that was pushed stays where it is, and cannot be deleted.</span>
      </label>
      {isImmutable && (
        <div class="field">
          <label for={exceptId}>Except tags like</label>
          <input
            id={exceptId}
            type="text"
            value={except}
            placeholder="latest dev-*"
            spellcheck={false}
            onInput={(event) => setExcept(event.currentTarget.value)}
          />
        </div>
      )}
      <label class="check">
        <input type="checkbox" checked={isExpiring} onChange={() => setExpiring(!isExpiring)} />
        <span>
          Expiring: tags such as <code>1h</code> and <code>7d</code> end by themselves after that time.
        </span>
      </label>
      {wider.length > 0 && <p class="quiet small">The rules for {[...new Set(wider)].join(", ")} hold here too.</p>}
    </SettingForm>
  );
}

function DescriptionSetting({ repository, onChange }: Props) {
  const [description, setDescription] = useState(repository.description ?? "");
  const id = useId();
  const save = async () => {
    await change("PATCH", pathOf(repository), { description });
    onChange();
  };
  return (
    <SettingForm action="Save description" onSave={save}>
      <div class="field">
        <label for={id}>Description</label>
        <input
          id={id}
          type="text"
          maxLength={300}
          value={description}
          onInput={(event) => setDescription(event.currentTarget.value)}
        />
        <span class="hint">One line, shown in lists.</span>
      </div>
    </SettingForm>
  );
}

function ReadmeSetting({ name, onChange }: { readonly name: string; readonly onChange: () => void }) {
  const stored = useOwnResource(
    `readme ${name}`,
    async (signal) => await get<Readme>("/api/readme", { repository: name }, { signal }),
  );
  const [edited, setEdited] = useState<string | undefined>(undefined);
  const id = useId();
  const save = async () => {
    await change("PUT", "/api/readme", { repository: name, readme: edited ?? "" });
    onChange();
  };
  return (
    <SettingForm action="Save README" onSave={save} isUnchanged={edited === undefined}>
      <div class="field">
        <label for={id}>README</label>
        <textarea
          id={id}
          rows={10}
          disabled={stored.data === undefined}
          value={edited ?? stored.data?.readme ?? ""}
          onInput={(event) => setEdited(event.currentTarget.value)}
        />
        <span class="hint">
          Markdown, up to 64 KiB. Without one, the page shows what the newest image is annotated with.
        </span>
      </div>
      {stored.error && <Problem error={stored.error} onRetry={stored.reload} />}
    </SettingForm>
  );
}

function Deletion({ repository }: { readonly repository: RepositoryDetails }) {
  const { name, tags, uniqueSize } = repository;
  const { route } = useLocation();
  const [isAsking, setAsking] = useState(false);
  const remove = async () => {
    await change("DELETE", pathOf(repository));
    route("/");
  };
  return (
    <div class="panel stack-tight">
      <h2>Delete the repository</h2>
      <p>
        It goes with its {plural(tags, "tag")} and all that is in it: this cannot be undone. Collection then frees{" "}
        {formatBytes(uniqueSize ?? 0)}, which no other repository has.
      </p>
      <div>
        <button type="button" class="button danger" onClick={() => setAsking(true)}>
          Delete {name}
        </button>
      </div>
      {isAsking && (
        <ConfirmDialog
          title={`Delete ${name}?`}
          action="Delete it for ever"
          isDangerous
          onConfirm={remove}
          onClose={() => setAsking(false)}
        >
          <p>{plural(tags, "tag")} and all that they name cannot be pulled any more.</p>
        </ConfirmDialog>
      )}
    </div>
  );
}
