interface Option {
  readonly value: string;
  readonly label: string;
}

const ANYTHING: Option = { value: "", label: "anything" };

/** What is recorded: docs/api.md. */
const ACTIONS = [
  ...["manifest.push", "manifest.delete", "tag.delete", "tag.restore", "tag.release", "tag.expire", "blob.delete"],
  ...["retention.set", "retention.remove", "retention.run", "repository.set", "repository.delete"],
  ...["account.add", "account.remove", "account.password", "token.create", "token.revoke"],
  ...["policy.grant", "policy.revoke", "trust.add", "trust.remove"],
];

export const AUDIT_ACTIONS: readonly Option[] = [ANYTHING, ...ACTIONS.map((value) => ({ value, label: value }))];

const HOUR_MS = 3_600_000;

/** By what stands in the address. */
const AGES: Readonly<Record<string, number>> = {
  "1h": HOUR_MS,
  "24h": 24 * HOUR_MS,
  "7d": 168 * HOUR_MS,
  "30d": 720 * HOUR_MS,
};

export const SINCE: readonly Option[] = [
  { value: "", label: "ever" },
  { value: "1h", label: "an hour ago" },
  { value: "24h", label: "a day ago" },
  { value: "7d", label: "a week ago" },
  { value: "30d", label: "30 days ago" },
];

/**
 * The time that an age means, to the minute before: so that a page that is drawn anew asks for the same. What is no age of the
 * list goes on as it is.
 */
export function sinceOf(age: string | undefined, now: number): string | undefined {
  const length = age === undefined || !Object.hasOwn(AGES, age) ? undefined : AGES[age];
  if (length === undefined) return age;
  return new Date(Math.floor((now - length) / 60_000) * 60_000).toISOString();
}
