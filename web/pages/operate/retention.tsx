import { useState } from "preact/hooks";
import { change } from "../../api.ts";
import { Age } from "../../components/age.tsx";
import type { Column } from "../../components/lists/data-table.tsx";
import { DoneNotice } from "../../components/done-notice.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { Opener } from "../../components/forms/opener.tsx";
import { PagedTable } from "../../components/lists/paged-table.tsx";
import { RemoveButton } from "../../components/forms/remove-button.tsx";
import { RetentionForm } from "../../components/operate/retention-form.tsx";
import { StoredRulePreview } from "../../components/operate/stored-rule-preview.tsx";
import { ViewHead } from "../../components/operate/view-head.tsx";
import { plural } from "../../format.ts";
import type { RecordedRetentionRule, RetentionReport } from "../../operate/answers.ts";
import { draftOf, FIRST_RULE } from "../../operate/retention-draft.ts";
import { askToTheEnd, countTags } from "../../operate/retention-report.ts";
import { describeKeep } from "../../operate/retention-words.ts";
import { type PagedList, usePagedList } from "../../paged-list.ts";

/** There are no more: docs/api.md. */
const RULES_MAX = 100;

/** What is open beside the rules: the form of one, or the preview of one that is stored. */
type Open =
  | { readonly kind: "form"; readonly rule: RecordedRetentionRule | undefined }
  | { readonly kind: "preview"; readonly name: string }
  | undefined;

/** Retention rules: which tags stay. */
export function RetentionView() {
  const list = usePagedList<RecordedRetentionRule>("/api/retention", "rules", { n: RULES_MAX });
  const [open, setOpen] = useState<Open>(undefined);
  const [done, setDone] = useState<string | undefined>(undefined);
  const finish = (text: string, next?: Open) => {
    setOpen(next);
    setDone(text);
    list.reload();
  };
  const isAdding = open?.kind === "form" && open.rule === undefined;
  return (
    <>
      <ViewHead
        title="Retention"
        actions={
          <Opener label="Add a rule" isOpen={isAdding} onOpen={() => setOpen({ kind: "form", rule: undefined })} />
        }
      >
        A rule says which tags stay; of those that it governs, the others go, four times a day. It removes nothing until
        its preview was looked at, and what it took can be restored for a time.
      </ViewHead>
      <DoneNotice text={done} />
      {open?.kind === "form" && (
        <div class="panel stack">
          <RetentionForm
            key={open.rule?.name ?? ""}
            first={open.rule ? draftOf(open.rule.name, open.rule.rule) : FIRST_RULE}
            taken={open.rule ? undefined : (list.entries ?? []).map(({ name }) => name)}
            onClose={() => setOpen(undefined)}
            onSaved={(name) => finish(`The rule ${name} is stored.`, { kind: "preview", name })}
          />
        </div>
      )}
      {open?.kind === "preview" && (
        <StoredRulePreview
          key={open.name}
          name={open.name}
          onPreviewed={list.reload}
          onClose={() => setOpen(undefined)}
        />
      )}
      <Rules list={list} onOpen={setOpen} onDone={finish} />
    </>
  );
}

interface RulesProps {
  readonly list: PagedList<RecordedRetentionRule>;
  readonly onOpen: (open: Open) => void;
  /** Called with what is to be said. */
  readonly onDone: (text: string) => void;
}

function Rules({ list, onOpen, onDone }: RulesProps) {
  return (
    <PagedTable
      list={list}
      caption="Retention rules"
      noun="rule"
      columns={columnsOf(onOpen, onDone)}
      keyOf={({ name }) => name}
      empty={
        <EmptyState title="There are no rules: all tags stay" args={["retention", "set", "dev", "--file", "dev.json"]}>
          <p>For example: of the tags dev-* in every repository of team, the 10 newest stay.</p>
        </EmptyState>
      }
    />
  );
}

const columnsOf = (onOpen: RulesProps["onOpen"], onDone: RulesProps["onDone"]): Column<RecordedRetentionRule>[] => [
  {
    label: "Rule",
    kind: "main",
    width: 24,
    cell: ({ name, upstream, rule: { repository, tags, never } }) => (
      <div class="stack-tight">
        <strong>{name}</strong>
        <span class="wrap">
          {tags ? <code>{tags.join(", ")}</code> : "all tags"} in <code>{repository}</code>
        </span>
        {never && <span class="quiet small wrap">never {never.join(", ")}</span>}
        {upstream !== null && <span class="quiet small wrap">by the setting UPSTREAMS</span>}
      </div>
    ),
  },
  { label: "Keeps", width: 24, cell: ({ rule: { keep } }) => <span class="wrap">{describeKeep(keep)}</span> },
  {
    label: "Previewed",
    width: 14,
    cell: ({ upstream, previewedAt }) => {
      if (upstream !== null) return <span class="quiet">runs without</span>;
      return previewedAt === null ? <span class="badge warning">never: it rests</span> : <Age time={previewedAt} />;
    },
  },
  {
    label: "",
    kind: "actions",
    width: 24,
    cell: (rule) => <RuleButtons rule={rule} onOpen={onOpen} onDone={onDone} />,
  },
];

interface ButtonsProps {
  readonly rule: RecordedRetentionRule;
  readonly onOpen: RulesProps["onOpen"];
  readonly onDone: RulesProps["onDone"];
}

function RuleButtons({ rule, onOpen, onDone }: ButtonsProps) {
  const { name, upstream, previewedAt } = rule;
  const run = async () => {
    const report = await askToTheEnd(
      async (last) => await change<RetentionReport>("POST", "/api/retention/run", { name, last }),
      () => undefined,
    );
    onDone(`The rule ${name} removed ${plural(countTags(report).gone, "tag")}.`);
  };
  const remove = async () => {
    await change("DELETE", `/api/retention/${name}`);
    onDone(`The rule ${name} is removed. Others for its repositories rest until they are previewed again.`);
  };
  return (
    <span class="row">
      {upstream === null && (
        <button
          type="button"
          class="button small"
          aria-label={`Edit the rule ${name}`}
          onClick={() => onOpen({ kind: "form", rule })}
        >
          Edit
        </button>
      )}
      <button
        type="button"
        class="button small"
        aria-label={`Preview the rule ${name}`}
        onClick={() => onOpen({ kind: "preview", name })}
      >
        Preview
      </button>
      {(upstream !== null || previewedAt !== null) && (
        <RemoveButton label="Run" of={`the rule ${name}`} question={`Run the rule ${name} now?`} onConfirm={run}>
          <p>Tags that no rule keeps go now, as they do four times a day. They can be restored for a time.</p>
        </RemoveButton>
      )}
      {upstream === null && (
        <RemoveButton label="Remove" of={`the rule ${name}`} question={`Remove the rule ${name}?`} onConfirm={remove}>
          <p>It removes no tags any more, and what it protects from other rules, it protects no more.</p>
        </RemoveButton>
      )}
    </span>
  );
}
