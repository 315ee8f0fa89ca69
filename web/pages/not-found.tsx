import { useTitle } from "../title.ts";

/** An address that is of no page. */
export function NotFoundPage() {
  useTitle("Not found");
  return (
    <>
      <h1>There is no such page</h1>
      <p>
        <a href="/">All repositories</a>
      </p>
    </>
  );
}
