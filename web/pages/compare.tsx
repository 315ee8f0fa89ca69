import { useTitle } from "../title.ts";

export function ComparePage() {
  useTitle("Compare");
  return <h1>Compare</h1>;
}
