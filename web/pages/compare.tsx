import { useLocation } from "preact-iso";
import { useEffect } from "preact/hooks";
import { type Address, comparisonOf, formatAddress, pageOf, parseAddress, referenceOf } from "../address.ts";
import { Digest } from "../components/digest.tsx";
import { ImageComparison } from "../components/image/image-comparison.tsx";
import { Problem } from "../components/problem.tsx";
import { Skeleton } from "../components/skeleton.tsx";
import { formatPlatform } from "../format.ts";
import { useHref } from "../href.ts";
import { type Image, useImage } from "../image/use-image.ts";
import { useTitle } from "../title.ts";

/** Two images beside each other: `?from=team/app:1&to=team/app:2`. */
export function ComparePage() {
  useTitle("Compare");
  const { query } = useLocation();
  const [from, to] = [parseAddress(query.from ?? ""), parseAddress(query.to ?? "")];
  if (referenceOf(from) === "" || referenceOf(to) === "") {
    return (
      <>
        <h1>Compare</h1>
        <p>
          Choose two tags in the list of a repository, or go to an image and choose “Compare with…”.{" "}
          <a href="/">All repositories</a>
        </p>
      </>
    );
  }
  return <Comparison from={from} to={to} />;
}

interface Props {
  readonly from: Address;
  readonly to: Address;
}

function Comparison({ from, to }: Props) {
  const { query, route } = useLocation();
  const href = useHref();
  const [left, right] = [useImage(from, query.platform), useImage(to, query.platform)];

  // An image that is no index is compared with the one of its platform.
  const own = query.platform === undefined ? platformBeside(left, right) : undefined;
  useEffect(() => {
    if (own !== undefined) route(href({ platform: own }), true);
  }, [own]);

  return (
    <>
      <div class="page-head">
        <h1>Compare</h1>
        <a class="button" href={comparisonOf(to, from)}>
          Swap
        </a>
      </div>
      <div class="columns">
        <Side title="From" address={from} image={left} />
        <Side title="To" address={to} image={right} />
      </div>
      <PlatformSelect left={left} right={right} />
      {left.manifest.data && right.manifest.data && isReady(left) && isReady(right) ? (
        <ImageComparison
          {...{ from: left.manifest.data, to: right.manifest.data }}
          {...{ fromConfig: left.config.data?.image, toConfig: right.config.data?.image }}
        />
      ) : (
        !errorOf(left) && !errorOf(right) && <Skeleton width={50} />
      )}
    </>
  );
}

const isReady = ({ config, manifest }: Image): boolean =>
  manifest.data?.kind !== "image" || config.data !== undefined || config.error !== undefined;

const errorOf = ({ root, manifest, config }: Image): Error | undefined => root.error ?? manifest.error ?? config.error;

/** The platform of the one that is no index, if the other is one and has it. */
function platformBeside(left: Image, right: Image): string | undefined {
  const [index, single] = left.platforms.length > 0 ? [left, right] : [right, left];
  const config = single.config.data?.image;
  if (single.platforms.length > 0 || config?.os === undefined || config.architecture === undefined) return undefined;
  const { os, architecture, variant } = config;
  const label = formatPlatform({ os, architecture, ...(variant !== undefined && { variant }) });
  return index.platforms.some((platform) => platform.label === label) ? label : undefined;
}

interface SideProps {
  readonly title: string;
  readonly address: Address;
  readonly image: Image;
}

function Side({ title, address, image }: SideProps) {
  const error = errorOf(image);
  return (
    <section class="panel stack-tight">
      <h2 class="quiet small">{title}</h2>
      <a class="wrap" href={pageOf(address)}>
        {formatAddress(address)}
      </a>
      {image.manifest.data && (
        <span class="row quiet small">
          <Digest digest={image.manifest.data.digest} />
          {image.platform?.label}
        </span>
      )}
      {error && <Problem error={error} onRetry={image.root.reload} />}
    </section>
  );
}

/** Chooses the platform of both, where both are indexes. */
function PlatformSelect({ left, right }: { readonly left: Image; readonly right: Image }) {
  const { route } = useLocation();
  const href = useHref();
  if (left.platforms.length === 0 && right.platforms.length === 0) return null;
  const labels = [...new Set([...left.platforms, ...right.platforms].map(({ label }) => label))];
  const isSame = !left.platform || !right.platform || left.platform.label === right.platform.label;
  return (
    <div class="row">
      <label class="row">
        Platform
        <select
          value={left.platform?.label ?? right.platform?.label}
          onChange={(event) => route(href({ platform: event.currentTarget.value }), true)}
        >
          {labels.map((label) => (
            <option key={label} value={label}>
              {label}
            </option>
          ))}
        </select>
      </label>
      {!isSame && <span class="badge warning">not in both: different platforms are compared</span>}
    </div>
  );
}
