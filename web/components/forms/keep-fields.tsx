import type { Draft } from "../../draft.ts";
import type { RetentionDraft } from "../../operate/retention-draft.ts";
import { SelectField } from "./select-field.tsx";
import { TextField } from "./text-field.tsx";

type TextName = Exclude<keyof RetentionDraft, "mayEmpty" | "join">;

const CONDITIONS: readonly { readonly name: TextName; readonly label: string; readonly hint: string }[] = [
  { name: "newest", label: "The newest", hint: "So many of the tags pushed last." },
  { name: "pushedWithin", label: "Pushed within", hint: "A duration, such as 30d." },
  { name: "pulledWithin", label: "Pulled within", hint: "Such as 30d; a push counts too." },
  { name: "keepTags", label: "Tags like", hint: "Patterns, such as main rc-*." },
];

const VERSIONS: readonly { readonly name: TextName; readonly label: string; readonly hint: string }[] = [
  { name: "majors", label: "Majors", hint: "A number, or all." },
  { name: "minors", label: "Minors of each", hint: "A number, or all." },
  { name: "patches", label: "Patches of each", hint: "A number, or all." },
  { name: "prereleases", label: "Pre-releases", hint: "A number, or all; none if empty." },
];

const JOINS = [
  { value: "any", label: "one of these holds" },
  { value: "all", label: "all of these hold" },
  { value: "json", label: "a condition as JSON holds" },
] as const;

interface Props {
  readonly draft: RetentionDraft;
  readonly set: Draft<RetentionDraft>[1];
}

/** The conditions under which a tag stays. */
export function KeepFields({ draft, set }: Props) {
  const fieldsOf = (fields: typeof CONDITIONS) => (
    <div class="fields">
      {fields.map(({ name, label, hint }) => (
        <TextField
          key={name}
          name={name}
          label={label}
          hint={hint}
          value={draft[name]}
          onInput={(value) => set(name, value)}
        />
      ))}
    </div>
  );
  return (
    <>
      <div class="narrow">
        <SelectField
          name="join"
          label="A tag stays if"
          value={draft.join}
          options={JOINS}
          onChange={(join) => set("join", join)}
        />
      </div>
      {draft.join === "json" ? (
        <TextField
          name="json"
          label="Condition"
          hint={'Such as {"all": [{"newest": 10}, {"any": [{"tags": ["dev-*"]}, {"pulledWithin": "7d"}]}]}'}
          rows={6}
          value={draft.json}
          onInput={(value) => set("json", value)}
        />
      ) : (
        <>
          {fieldsOf(CONDITIONS)}
          <fieldset class="field">
            <legend>The last versions, of tags such as v1.4.2</legend>
            {fieldsOf(VERSIONS)}
          </fieldset>
        </>
      )}
    </>
  );
}
