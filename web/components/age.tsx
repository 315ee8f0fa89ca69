import { formatAge, formatTime } from "../format.ts";

/** How long ago something was; `none` where it never was. */
export function Age({ time, none = "never" }: { readonly time: string | null; readonly none?: string }) {
  if (time === null) return <span class="quiet">{none}</span>;
  return (
    <time class="nowrap" dateTime={time} title={formatTime(time)}>
      {formatAge(time)}
    </time>
  );
}
