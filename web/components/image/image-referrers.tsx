import { pageOf } from "../../address.ts";
import { get } from "../../api.ts";
import type { TagEntry } from "../../api-types.ts";
import { formatBytes } from "../../format.ts";
import { cosignPrefix, type Kind, kindOfCosignTag, kindOfReferrer, REFERRER_GROUPS } from "../../image/kinds.ts";
import type { Descriptor } from "../../image/manifest.ts";
import type { PlatformImage } from "../../image/platforms.ts";
import { readReferrers } from "../../image/read.ts";
import { useOwnResource } from "../../own-resource.ts";
import { Age } from "../age.tsx";
import { Digest } from "../digest.tsx";
import { Problem } from "../problem.tsx";
import { Skeleton } from "../skeleton.tsx";

/** Something that is said of an image. */
interface Referrer {
  readonly kind: Kind;
  readonly digest: string;
  readonly href: string;
  /** Bytes of its manifest, or, of a tag, of all that it has. */
  readonly size: number;
  readonly created: string | undefined;
  readonly annotations: Readonly<Record<string, string>>;
  /** What it speaks of, where that may be an index or one of its images. */
  readonly of: string;
}

interface Props {
  readonly name: string;
  readonly digest: string;
  /** The image of the index that is shown, if it is an index. */
  readonly platform: PlatformImage | undefined;
}

/** Signatures, SBOMs, attestations, and whatever else refers to an image. */
export function ImageReferrers({ name, digest, platform }: Props) {
  const subjects = platform
    ? [
        { digest, of: "all platforms" },
        { digest: platform.descriptor.digest, of: platform.label },
      ]
    : [{ digest, of: "" }];
  const key = subjects.map((subject) => subject.digest).join(" ");
  const { data, error, reload } = useOwnResource(`referrers ${name} ${key}`, async (signal) => {
    const found = await Promise.all(subjects.map(async (subject) => await readSubject(name, subject, signal)));
    return found.flat();
  });
  if (error) return <Problem error={error} onRetry={reload} />;
  if (!data) return <ReferrerSkeleton />;
  const referrers = [...data, ...(platform ? attestationsOf(name, platform) : [])];
  if (referrers.length === 0) return <NoReferrers name={name} digest={digest} />;
  return (
    <div class="stack">
      {REFERRER_GROUPS.map((group) => (
        <ReferrerGroup
          key={group}
          title={group}
          referrers={referrers.filter(({ kind }) => kind.group === group)}
          hasSubject={platform !== undefined}
        />
      ))}
    </div>
  );
}

async function readSubject(
  name: string,
  { digest, of }: { readonly digest: string; readonly of: string },
  signal: AbortSignal,
): Promise<Referrer[]> {
  const [referrers, tags] = await Promise.all([
    readReferrers(name, digest, signal),
    get<{ tags: TagEntry[] }>("/api/tags", { repository: name, q: cosignPrefix(digest) }, { signal }),
  ]);
  const tagged = tags.tags.flatMap((tag): Referrer[] => {
    const kind = kindOfCosignTag(tag.name, digest);
    if (kind === undefined) return [];
    const href = pageOf({ name, tag: tag.name });
    const { digest: own, size, pushedAt: created } = tag;
    return [{ kind, digest: own, href, size, created, annotations: { tag: tag.name }, of }];
  });
  return [...referrers.map((descriptor) => toReferrer(name, descriptor, of)), ...tagged];
}

function toReferrer(name: string, { digest, size, artifactType, annotations }: Descriptor, of: string): Referrer {
  const { "org.opencontainers.image.created": created, ...others } = annotations;
  const kind = kindOfReferrer(artifactType, annotations);
  return { kind, digest, href: pageOf({ name, digest }), size, created, annotations: others, of };
}

/** BuildKit puts its attestations into the index. */
function attestationsOf(name: string, { attestations, label }: PlatformImage): Referrer[] {
  return attestations.map((descriptor) => ({
    ...toReferrer(name, { ...descriptor, annotations: {} }, label),
    kind: { group: "Attestations", name: "BuildKit attestation" },
  }));
}

interface GroupProps {
  readonly title: string;
  readonly referrers: readonly Referrer[];
  readonly hasSubject: boolean;
}

function ReferrerGroup({ title, referrers, hasSubject }: GroupProps) {
  if (referrers.length === 0) return null;
  return (
    <section class="stack-tight">
      <h2>{title}</h2>
      <table class="table cards">
        <caption class="visually-hidden">{title}</caption>
        <thead>
          <tr>
            <th scope="col" class="main">
              Kind
            </th>
            {hasSubject && <th scope="col">Of</th>}
            <th scope="col">Digest</th>
            <th scope="col" class="number">
              Size
            </th>
            <th scope="col" class="number">
              Created
            </th>
          </tr>
        </thead>
        <tbody>
          {referrers.map((referrer) => (
            <ReferrerRow key={referrer.href + referrer.of} {...referrer} hasSubject={hasSubject} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function ReferrerRow(referrer: Referrer & { readonly hasSubject: boolean }) {
  const { kind, digest, href, size, created, annotations, of, hasSubject } = referrer;
  return (
    <tr>
      <td class="main">
        <a href={href}>{kind.name}</a>
        <Annotations annotations={annotations} />
      </td>
      {hasSubject && (
        <td class="nowrap" data-label="Of">
          {of}
        </td>
      )}
      <td data-label="Digest">
        <Digest digest={digest} />
      </td>
      <td class="number" data-label="Size">
        {formatBytes(size)}
      </td>
      <td class="number" data-label="Created">
        {created !== undefined && !Number.isNaN(Date.parse(created)) ? <Age time={created} /> : "–"}
      </td>
    </tr>
  );
}

/** What somebody noted of a manifest. */
export function Annotations({ annotations }: { readonly annotations: Readonly<Record<string, string>> }) {
  const entries = Object.entries(annotations);
  if (entries.length === 0) return null;
  return (
    <dl class="annotations small quiet">
      {entries.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function NoReferrers({ name, digest }: { readonly name: string; readonly digest: string }) {
  return (
    <div class="panel stack-tight">
      <h2>Nothing refers to this image</h2>
      <p>Signatures, SBOMs and attestations appear here when somebody attaches them:</p>
      <pre class="sample" tabIndex={0}>
        {`cosign sign ${location.host}/${name}@${digest}\n`}
        {`oras attach --artifact-type application/spdx+json ${location.host}/${name}@${digest} sbom.spdx.json`}
      </pre>
    </div>
  );
}

function ReferrerSkeleton() {
  return (
    <div class="stack-tight" aria-busy="true">
      <Skeleton width={14} />
      <Skeleton width={40} />
      <Skeleton width={36} />
    </div>
  );
}
