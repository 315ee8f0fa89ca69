import { useState } from "preact/hooks";
import { change } from "../../api.ts";
import { useDraft } from "../../draft.ts";
import { trustCommand, trustRequest } from "../../operate/access-drafts.ts";
import type { TrustRule } from "../../operate/answers.ts";
import { fieldByPath } from "../../operate/problems.ts";
import { draftFrom, type IssuerPreset, PRESETS } from "../../operate/trust-presets.ts";
import { ActionsField } from "../forms/actions-field.tsx";
import { CliLine } from "./cli-line.tsx";
import { Form } from "../forms/form.tsx";
import { TextField } from "../forms/text-field.tsx";

const [FIRST_PRESET] = PRESETS as readonly [IssuerPreset];
const fieldOf = fieldByPath(["name", "issuer", "audience", "claims", "repositories", "actions", "keys"]);

interface Props {
  readonly onClose: () => void;
  readonly onAdded: (rule: TrustRule) => void;
}

/** Adds a trust rule, from what jobs of its issuer usually are. */
export function TrustForm({ onClose, onAdded }: Props) {
  const [preset, setPreset] = useState(FIRST_PRESET);
  const [draft, set, put] = useDraft(draftFrom(FIRST_PRESET, location.host));
  const submit = async () => onAdded(await change<TrustRule>("POST", "/api/trust", trustRequest(draft)));
  const choose = (chosen: IssuerPreset) => {
    setPreset(chosen);
    put(draftFrom(chosen, draft.audience, draft.name));
  };
  return (
    <>
      <Form action="Add the rule" fieldOf={fieldOf} onSubmit={submit} onCancel={onClose} takesFocus>
        <Presets chosen={preset} onChoose={choose} />
        <div class="fields">
          <TextField
            name="name"
            label="Name"
            hint="What you call these jobs, such as github."
            value={draft.name}
            onInput={(value) => set("name", value)}
          />
          <TextField
            name="issuer"
            label="Issuer"
            hint="Its URL, exactly as in its tokens."
            value={draft.issuer}
            onInput={(value) => set("issuer", value)}
          />
          <TextField
            name="audience"
            label="Audience"
            hint="Whom the tokens must be made for."
            value={draft.audience}
            onInput={(value) => set("audience", value)}
          />
        </div>
        <div class="fields">
          <TextField
            name="claims"
            label="Conditions"
            hint="claim=pattern, one a line; * stands for any characters. All must hold."
            rows={4}
            value={draft.claims}
            onInput={(value) => set("claims", value)}
          />
          <TextField
            name="repositories"
            label="Repositories"
            hint="Patterns, one a line; ${claim} stands for the value of a claim."
            rows={4}
            value={draft.repositories}
            onInput={(value) => set("repositories", value)}
          />
          {(preset.id === "kubernetes" || preset.id === "other") && (
            <TextField
              name="keys"
              label="Keys"
              hint="The issuer's JSON Web Key Set, only where the registry cannot reach it."
              rows={4}
              value={draft.keys}
              onInput={(value) => set("keys", value)}
            />
          )}
        </div>
        <ActionsField label="Its jobs may" actions={draft.actions} onChange={(actions) => set("actions", actions)} />
      </Form>
      <CliLine args={trustCommand(draft)} />
    </>
  );
}

interface PresetsProps {
  readonly chosen: IssuerPreset;
  readonly onChoose: (preset: IssuerPreset) => void;
}

function Presets({ chosen, onChoose }: PresetsProps) {
  return (
    <fieldset class="field">
      <legend>Jobs of</legend>
      <div class="row">
        {PRESETS.map((preset) => (
          <label key={preset.id} class="check">
            <input
              type="radio"
              name="preset"
              value={preset.id}
              checked={preset.id === chosen.id}
              onChange={() => onChoose(preset)}
            />
            {preset.label}
          </label>
        ))}
      </div>
      <span class="hint">{chosen.hint}</span>
    </fieldset>
  );
}
