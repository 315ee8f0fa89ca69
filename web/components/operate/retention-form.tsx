import { useMemo } from "preact/hooks";
import { ask, change } from "../../api.ts";
import { type Draft, useDraft } from "../../draft.ts";
import type { RetentionReport, RetentionRule } from "../../operate/answers.ts";
import { isAskable, newNameOf, type RetentionDraft, retentionFieldOf, ruleOf } from "../../operate/retention-draft.ts";
import { useResource } from "../../resource.ts";
import { useSettled } from "../../settled.ts";
import { CheckField } from "../forms/check-field.tsx";
import { CliLine } from "./cli-line.tsx";
import { CodeBlock } from "../code-block.tsx";
import { Form } from "../forms/form.tsx";
import { KeepFields } from "../forms/keep-fields.tsx";
import { RetentionEffect } from "./retention-effect.tsx";
import { TextField } from "../forms/text-field.tsx";

/** How long nothing is typed before the registry is asked. */
const SETTLE_MS = 500;

interface Props {
  readonly first: RetentionDraft;
  /** Of a new rule: the names that it cannot have. */
  readonly taken: readonly string[] | undefined;
  readonly onClose: () => void;
  readonly onSaved: (name: string) => void;
}

/** Adds or changes a rule, and shows as one writes what it would remove. */
export function RetentionForm({ first, taken, onClose, onSaved }: Props) {
  const [draft, set] = useDraft(first);
  const isNew = taken !== undefined;
  const preview = useLivePreview(draft);
  const fieldOf = useMemo(() => retentionFieldOf(draft), [draft]);
  const save = async () => {
    const name = taken ? newNameOf(draft, taken) : first.name;
    await change("PUT", `/api/retention/${encodeURIComponent(name === "" ? "-" : name)}`, ruleOf(draft));
    onSaved(name);
  };
  return (
    <>
      <h3>{isNew ? "A new rule" : `The rule ${first.name}`}</h3>
      <Form
        action={isNew ? "Add the rule" : "Store the rule"}
        fieldOf={fieldOf}
        error={preview.error}
        onSubmit={save}
        onCancel={onClose}
        takesFocus
      >
        <Scope draft={draft} set={set} isNew={isNew} />
        <KeepFields draft={draft} set={set} />
        <CheckField name="mayEmpty" isOn={draft.mayEmpty} onChange={(isOn) => set("mayEmpty", isOn)}>
          It may take the last tag of a repository
        </CheckField>
      </Form>
      <section class="stack" aria-label="Preview" aria-busy={preview.isLoading}>
        <h3>What it would remove now</h3>
        {preview.data ? <RetentionEffect report={preview.data} /> : <p class="quiet">{preview.hint}</p>}
      </section>
      <ByHand draft={draft} />
    </>
  );
}

interface Preview {
  readonly data: RetentionReport | undefined;
  readonly error: Error | undefined;
  readonly isLoading: boolean;
  /** In place of what is not known. */
  readonly hint: string;
}

/** What the rule of a draft would remove, asked for when it has settled. */
function useLivePreview(draft: RetentionDraft): Preview {
  const settled = useSettled(draft, SETTLE_MS);
  const { rule, error } = useMemo(() => readRule(settled), [settled]);
  const key = rule && `retention preview ${JSON.stringify(rule)}`;
  const asked = useResource(
    key,
    async (signal) => {
      const response = await ask("/api/retention/preview", { method: "POST", body: { rule }, signal });
      return (await response.json()) as RetentionReport;
    },
    true,
  );
  if (key === undefined) {
    const hint = "Say for which repositories it is, and what stays.";
    return { data: undefined, error, isLoading: false, hint };
  }
  const { data, isLoading } = asked;
  const hint = asked.error ? "First mend what is marked above." : "Looking…";
  return { data: asked.error ? undefined : data, error: asked.error, isLoading, hint };
}

function readRule(draft: RetentionDraft): { readonly rule?: RetentionRule; readonly error?: Error } {
  if (!isAskable(draft)) return {};
  try {
    return { rule: ruleOf(draft) };
  } catch (problem) {
    return { error: problem instanceof Error ? problem : new Error(String(problem)) };
  }
}

interface PartProps {
  readonly draft: RetentionDraft;
  readonly set: Draft<RetentionDraft>[1];
}

function Scope({ draft, set, isNew }: PartProps & { readonly isNew: boolean }) {
  return (
    <div class="fields">
      {isNew && (
        <TextField
          name="name"
          label="Name"
          hint="Such as dev."
          value={draft.name}
          onInput={(value) => set("name", value)}
        />
      )}
      <TextField
        name="repository"
        label="Repositories"
        hint="A pattern, such as team/**; ** is every repository."
        value={draft.repository}
        onInput={(value) => set("repository", value)}
      />
      <TextField
        name="tags"
        label="Tags that it governs"
        hint="Patterns, such as dev-*; empty: all."
        value={draft.tags}
        onInput={(value) => set("tags", value)}
      />
      <TextField
        name="never"
        label="Tags that no rule removes"
        hint="Patterns, such as v* latest."
        value={draft.never}
        onInput={(value) => set("never", value)}
      />
    </div>
  );
}

/** The same as a file, for the command line. */
function ByHand({ draft }: { readonly draft: RetentionDraft }) {
  const { rule } = readRule(draft);
  const name = draft.name.trim() === "" ? "NAME" : draft.name.trim();
  return (
    <details>
      <summary>By the command line</summary>
      <div class="stack">
        {rule && <CodeBlock label={`${name}.json`} text={JSON.stringify(rule, undefined, 2)} />}
        <CliLine args={["retention", "set", name, "--file", `${name}.json`]} />
      </div>
    </details>
  );
}
