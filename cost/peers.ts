/** Up to so many GB in a month, each costs so much. */
type Tier = readonly [upToGb: number, dollarsPerGb: number];

/** What AWS bills for data that leaves it for the internet, from its region us-east-1. */
const AWS_EGRESS: readonly Tier[] = [
  [100, 0],
  [10_000, 0.09],
  [50_000, 0.085],
  [150_000, 0.07],
  [Infinity, 0.05],
];

/** Another registry, and what it bills. */
export interface Peer {
  readonly name: string;
  /** Dollars for each GB in a month; undefined where nothing is billed by what is stored. */
  readonly storage?: number;
  readonly egress?: readonly Tier[];
  /** What there is beside that. */
  readonly besides: string;
  /** Where that was read, and of when it is. */
  readonly source: string;
}

export const PEERS: readonly Peer[] = [
  {
    name: "Amazon ECR",
    storage: 0.1,
    egress: AWS_EGRESS,
    besides: "nothing for pulls within its region; ECR Public: 50 GB free, anonymous pulls stop at 500 GB a month",
    source: "cloudburn.io and wring.co of March 2026; egress: leanopstech.com of April 2026",
  },
  {
    name: "distribution on S3",
    storage: 0.023,
    egress: AWS_EGRESS,
    besides: "requests to S3, and the machines, their disks and their care",
    source: "storage: a table of July 2022, as no stored copy of Amazon's page shows its prices",
  },
  {
    name: "GitHub Container Registry",
    besides: "“currently free”, public and private, with a month's notice of a change",
    source: "docs.github.com, billing of Packages: a stored copy without a date, younger than 2025",
  },
  {
    name: "Docker Hub",
    besides: "by seat; who pulls without an account gets 100 pulls in 6 hours from an address, with a free one 200",
    source: "docs.docker.com, usage and limits: a stored copy of after April 2025",
  },
];

/** Dollars for so many GB that leave in a month. */
export function egressPrice(tiers: readonly Tier[], gigabytes: number): number {
  return tiers.reduce((dollars, [upTo, price], index) => {
    const from = tiers[index - 1]?.[0] ?? 0;
    return dollars + Math.max(Math.min(gigabytes, upTo) - from, 0) * price;
  }, 0);
}
