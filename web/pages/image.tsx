import type { Address } from "../address.ts";

export function ImagePage({ address }: { readonly address: Address }) {
  return <h1>{address.name}</h1>;
}
