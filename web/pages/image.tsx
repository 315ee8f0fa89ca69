import { useLocation } from "preact-iso";
import { useState } from "preact/hooks";
import { type Address, formatAddress } from "../address.ts";
import { ApiError } from "../api.ts";
import { DeletedNotice } from "../components/repository/deleted-notice.tsx";
import { ImageConfigView } from "../components/image/image-config.tsx";
import { ArtifactFiles } from "../components/image/image-files.tsx";
import { ImageCrumbs, ImageHead } from "../components/image/image-head.tsx";
import { ImageLayers } from "../components/image/image-layers.tsx";
import { PlatformPicker } from "../components/image/image-platforms.tsx";
import { Annotations, ImageReferrers } from "../components/image/image-referrers.tsx";
import { TagHistory } from "../components/image/image-tag-history.tsx";
import { JsonText } from "../components/image/json-text.tsx";
import { Problem } from "../components/problem.tsx";
import { Skeleton } from "../components/skeleton.tsx";
import { Tabs } from "../components/tabs.tsx";
import { useHref } from "../href.ts";
import type { StoredManifest } from "../image/manifest.ts";
import { type Image, useImage } from "../image/use-image.ts";
import { forgetResources } from "../resource.ts";
import { useSession } from "../session.tsx";
import { useTitle } from "../title.ts";

/** An image, an index of images, or an artifact: what a tag or digest names. */
export function ImagePage({ address }: { readonly address: Address }) {
  useTitle(formatAddress(address));
  return (
    <>
      <ImageCrumbs name={address.name} />
      <ImageContent key={formatAddress(address)} address={address} />
    </>
  );
}

function ImageContent({ address }: { readonly address: Address }) {
  const { query } = useLocation();
  const image = useImage(address, query.platform);
  const [deletedTags, setDeletedTags] = useState<readonly string[] | undefined>(undefined);
  const { data: root, error, reload } = image.root;
  if (deletedTags) {
    const restored = () => {
      setDeletedTags(undefined);
      reload();
    };
    return <DeletedNotice name={address.name} digest={root?.digest ?? ""} tags={deletedTags} onRestored={restored} />;
  }
  if (error) return <NoImage address={address} error={error} onRetry={reload} />;
  const deleted = (tags: readonly string[]) => {
    forgetResources();
    setDeletedTags(tags);
  };
  return (
    <>
      <ImageHead address={address} image={image} onDeleted={deleted} />
      {image.platforms.length > 0 && <PlatformPicker platforms={image.platforms} chosen={image.platform} />}
      <Views address={address} image={image} />
    </>
  );
}

interface NoImageProps {
  readonly address: Address;
  readonly error: Error;
  readonly onRetry: () => void;
}

function NoImage({ address, error, onRetry }: NoImageProps) {
  const { caller } = useSession();
  const { url } = useLocation();
  const isHidden = error instanceof ApiError && [401, 403, 404].includes(error.status);
  if (!isHidden) return <Problem error={error} onRetry={onRetry} />;
  return (
    <>
      <h1>{formatAddress(address)}</h1>
      <div class="panel stack-tight">
        <h2>There is no such image, or you may not pull it</h2>
        {caller ? (
          <p>It was deleted, or never pushed.</p>
        ) : (
          <p>
            <a href={`/login?to=${encodeURIComponent(url)}`}>Sign in</a> to see what is yours.
          </p>
        )}
      </div>
    </>
  );
}

const VIEWS = { layers: "Layers", config: "Config", referrers: "Referrers", history: "Tag history" } as const;
type View = keyof typeof VIEWS;

/** Those that there are for an image; the first is shown if the address asks for none. */
function viewsOf({ tag }: Address, manifest: StoredManifest | undefined): readonly View[] {
  const own: View[] = manifest?.kind === "index" ? [] : ["layers", "config"];
  return [...own, "referrers", ...(tag === undefined ? [] : (["history"] as const))];
}

function Views({ address, image }: { readonly address: Address; readonly image: Image }) {
  const { query } = useLocation();
  const href = useHref();
  const manifest = image.manifest.data;
  const views = viewsOf(address, manifest);
  const view = views.find((known) => known === query.view) ?? views[0] ?? "referrers";
  return (
    <>
      <Tabs
        label="Views of the image"
        views={views.map((id) => ({
          id,
          label: id === "layers" && manifest?.kind === "artifact" ? "Files" : VIEWS[id],
        }))}
        current={view}
        hrefOf={(id) => href({ view: id === views[0] ? undefined : id, layer: undefined, last: undefined })}
      />
      <ViewContent view={view} address={address} image={image} />
      {manifest && <RawManifests image={image} />}
    </>
  );
}

interface ViewProps {
  readonly view: View;
  readonly address: Address;
  readonly image: Image;
}

function ViewContent({ view, address: { name, tag }, image }: ViewProps) {
  const root = image.root.data;
  const { data: manifest, error, reload } = image.manifest;
  if (root && view === "referrers")
    return <ImageReferrers name={name} digest={root.digest} platform={image.platform} />;
  if (root && tag !== undefined && view === "history") {
    return <TagHistory name={name} tag={tag} digest={root.digest} onRestored={image.root.reload} />;
  }
  if (error) return <Problem error={error} onRetry={reload} />;
  if (!manifest || (image.config.isLoading && !image.config.data)) return <ViewSkeleton />;
  if (view === "config") return <ConfigOf image={image} manifest={manifest} />;
  if (manifest.kind === "artifact") return <ArtifactFiles name={name} manifest={manifest} />;
  const history = image.config.data?.image?.history ?? [];
  return (
    <>
      {image.config.error && <Problem error={image.config.error} onRetry={image.config.reload} />}
      <ImageLayers name={name} layers={manifest.layers} history={history} />
    </>
  );
}

function ConfigOf({ image: { config }, manifest }: { readonly image: Image; readonly manifest: StoredManifest }) {
  if (config.error) return <Problem error={config.error} onRetry={config.reload} />;
  if (!config.data) {
    return <p class="quiet">{manifest.config ? "The config is too large to be shown." : "There is no config."}</p>;
  }
  if (manifest.kind === "image") return <ImageConfigView config={config.data} />;
  return <JsonText title={`Config (${manifest.config?.mediaType ?? ""})`} text={config.data.text} isOpenAtFirst />;
}

/** The manifest that is shown, and the index that it is in, byte by byte but for the line breaks. */
function RawManifests({ image: { root, manifest, platform } }: { readonly image: Image }) {
  const annotations = { ...root.data?.annotations, ...manifest.data?.annotations };
  return (
    <section class="stack-tight" aria-label="Manifest">
      {Object.keys(annotations).length > 0 && (
        <>
          <h2>Annotations</h2>
          <Annotations annotations={annotations} />
        </>
      )}
      {platform && root.data && <JsonText title="Index as JSON" text={root.data.text} />}
      {manifest.data && (
        <JsonText
          title={platform ? `Manifest of ${platform.label} as JSON` : "Manifest as JSON"}
          text={manifest.data.text}
        />
      )}
    </section>
  );
}

function ViewSkeleton() {
  return (
    <div class="stack" aria-busy="true">
      {[52, 38, 44, 30].map((width) => (
        <Skeleton key={width} width={width} />
      ))}
    </div>
  );
}
