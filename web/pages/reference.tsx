import { useTitle } from "../title.ts";

export function ReferencePage() {
  useTitle("Reference");
  return <h1>Reference</h1>;
}
