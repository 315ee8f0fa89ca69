import { useTitle } from "../title.ts";

export function OperatePage() {
  useTitle("Operate");
  return <h1>Operate</h1>;
}
