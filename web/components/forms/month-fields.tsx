import type { Draft } from "../../draft.ts";
import { HABITS, type MonthDraft } from "../../operate/month.ts";
import { fieldByPath } from "../../operate/problems.ts";
import { FieldProblems } from "./field-problems.tsx";
import { SelectField } from "./select-field.tsx";
import { TextField } from "./text-field.tsx";

type NumberField = Exclude<keyof MonthDraft, "habit">;

const FIELDS: readonly { readonly name: NumberField; readonly label: string; readonly hint?: string }[] = [
  { name: "storedGigabytes", label: "Stored, in GB", hint: "All the month long." },
  { name: "pulls", label: "Pulls of an image" },
  { name: "pushes", label: "Pushes of an image", hint: "Each of new layers." },
  { name: "layers", label: "Layers of an image" },
  { name: "layerMegabytes", label: "A layer, in MB" },
  { name: "cachedPercent", label: "In the edge's cache, in %", hint: "Of the content that is pulled." },
];

const fieldOf = fieldByPath(FIELDS.map(({ name }) => name));

interface Props {
  readonly draft: MonthDraft;
  readonly set: Draft<MonthDraft>[1];
  readonly error: Error | undefined;
  readonly onReset: () => void;
}

/** What a month is like. */
export function MonthFields({ draft, set, error, onReset }: Props) {
  return (
    <FieldProblems error={error} fieldOf={fieldOf}>
      <div class="fields">
        {FIELDS.map(({ name, label, hint }) => (
          <TextField
            key={name}
            name={name}
            label={label}
            hint={hint}
            inputMode="decimal"
            value={draft[name]}
            onInput={(value) => set(name, value)}
          />
        ))}
        <SelectField
          name="habit"
          label="Pulled by"
          value={draft.habit}
          options={HABITS}
          onChange={(habit) => set("habit", habit)}
        />
      </div>
      <div>
        <button type="button" class="button" onClick={onReset}>
          As it looks now
        </button>
      </div>
    </FieldProblems>
  );
}
