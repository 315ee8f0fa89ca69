import { plural } from "../../format.ts";
import type { MissingObject } from "../../operate/answers.ts";
import { Age } from "../age.tsx";
import { type Column, DataTable } from "../lists/data-table.tsx";
import { Digest } from "../digest.tsx";
import { ShownRows } from "./shown-rows.tsx";

const COLUMNS: readonly Column<MissingObject>[] = [
  { label: "Digest", width: 14, cell: ({ digest }) => <Digest digest={digest} /> },
  { label: "Object in the bucket", kind: "main", width: 30, cell: ({ key }) => <code class="wrap">{key}</code> },
  { label: "Found", width: 10, cell: ({ foundAt }) => <Age time={foundAt} /> },
];

/** What the registry says it has, and the bucket does not. */
export function MissingObjects({ missing }: { readonly missing: readonly MissingObject[] }) {
  return (
    <section class="notice danger stack" aria-label="Missing objects">
      <h3>{plural(missing.length, "object is", "objects are")} missing from the bucket</h3>
      <p>
        Who pulls these gets an error. Nothing here deletes an object that is needed: look for what else writes to the
        bucket, restore the objects from a copy of it, or push the images again.
      </p>
      <ShownRows rows={missing} noun="objects">
        {(rows) => <DataTable caption="Missing objects" columns={COLUMNS} rows={rows} keyOf={({ key }) => key} />}
      </ShownRows>
    </section>
  );
}
