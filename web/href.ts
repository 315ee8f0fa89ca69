import { useLocation } from "preact-iso";
import { type Query, toQuery } from "./api.ts";

/** Makes addresses of this page with another state: what is undefined is left out. */
export function useHref(): (changes: Query) => string {
  const { path, query } = useLocation();
  return (changes) => path + toQuery({ ...query, ...changes });
}
