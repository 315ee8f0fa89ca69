import { useState } from "preact/hooks";
import { ask } from "../../api.ts";
import { plural } from "../../format.ts";
import type { RetentionReport } from "../../operate/answers.ts";
import { askToTheEnd, countTags } from "../../operate/retention-report.ts";
import { useResource } from "../../resource.ts";
import { Problem } from "../problem.tsx";
import { RetentionEffect } from "./retention-effect.tsx";

interface Props {
  readonly name: string;
  /** Called when the preview has come to its end: from then on, the rule removes. */
  readonly onPreviewed: () => void;
  readonly onClose: () => void;
}

/** What a stored rule would remove now; who has seen it to its end has let it run. */
export function StoredRulePreview({ name, onPreviewed, onClose }: Props) {
  const [soFar, setSoFar] = useState(0);
  // What another look showed is of no use here: the rule may have been another.
  const [look] = useState(() => Date.now());
  const { data, error, reload } = useResource(`retention preview of ${name} at ${look}`, async (signal) => {
    const report = await askToTheEnd(
      async (last) => {
        const body = { name, last };
        const response = await ask("/api/retention/preview", { method: "POST", body, signal });
        return (await response.json()) as RetentionReport;
      },
      (sum) => setSoFar(countTags(sum).gone),
    );
    onPreviewed();
    return report;
  });
  return (
    <section class="panel stack" aria-label={`Preview of the rule ${name}`}>
      <div class="row spread">
        <h3>What {name} would remove now</h3>
        <button type="button" class="button" onClick={onClose}>
          Close
        </button>
      </div>
      {error && <Problem error={error} onRetry={reload} />}
      {data && (
        <>
          <p class="notice">Now that it is previewed, the rule runs: four times a day, or when you say so.</p>
          <RetentionEffect report={data} />
        </>
      )}
      {!data && !error && (
        <p class="quiet" role="status">
          Looking… {soFar > 0 && `${plural(soFar, "tag")} would go`}
        </p>
      )}
    </section>
  );
}
