import { Skeleton } from "../skeleton.tsx";

/** A row of a table that is on its way: how wide its cells are, in characters, and which one has the name. */
export function SkeletonRow({ widths, main }: { readonly widths: readonly number[]; readonly main: number }) {
  return (
    <tr>
      {widths.map((width, index) => (
        <td key={index} class={index === main ? "main" : "number"}>
          <Skeleton width={width} />
        </td>
      ))}
    </tr>
  );
}
