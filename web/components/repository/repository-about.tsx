import { lazy } from "preact-iso";
import { get } from "../../api.ts";
import type { Readme } from "../../api-types.ts";
import { useOwnResource } from "../../own-resource.ts";
import { useIsAdmin } from "../../session.tsx";
import { Command } from "../command.tsx";
import { Problem } from "../problem.tsx";
import { Skeleton } from "../skeleton.tsx";

// Reading Markdown takes as much script as all else together: it comes where there is a README.
const Markdown = lazy(async () => (await import("./markdown.tsx")).Markdown);

/** Annotations of the image spec that say what an image is, and how to call them. */
const KNOWN: readonly (readonly [key: string, label: string])[] = [
  ["title", "Title"],
  ["version", "Version"],
  ["licenses", "Licences"],
  ["authors", "Authors"],
  ["vendor", "Vendor"],
  ["source", "Source"],
  ["url", "Website"],
  ["documentation", "Documentation"],
  ["revision", "Revision"],
];

/** What a repository says of itself: its README, or what its newest image is annotated with. */
export function RepositoryAbout({ name }: { readonly name: string }) {
  const isAdmin = useIsAdmin();
  const { data, error, reload } = useOwnResource(
    `readme ${name}`,
    async (signal) => await get<Readme>("/api/readme", { repository: name }, { signal }),
  );
  if (error) return <Problem error={error} onRetry={reload} />;
  if (!data) return <AboutSkeleton />;
  const annotations = KNOWN.flatMap(([key, label]) => {
    const value = data.annotations?.[key];
    return value === undefined || value === "" ? [] : [{ label, value }];
  });
  const isEmpty = data.readme === null && data.description === null && annotations.length === 0;
  return (
    <section class="stack" aria-label="About">
      {data.readme !== null && <Markdown text={data.readme} />}
      {data.readme === null && data.description !== null && <p class="prose">{data.description}</p>}
      {annotations.length > 0 && (
        <dl class="pairs">
          {annotations.map(({ label, value }) => (
            <div key={label} class="contents">
              <dt>{label}</dt>
              <dd>
                {isWebAddress(value) ? (
                  <a href={value} rel="noreferrer nofollow">
                    {value}
                  </a>
                ) : (
                  value
                )}
              </dd>
            </div>
          ))}
        </dl>
      )}
      {isEmpty && <HowToTell name={name} isAdmin={isAdmin} />}
    </section>
  );
}

/** Whoever pushes an image chooses the text: only what is plainly a page becomes a link. */
const isWebAddress = (text: string): boolean => /^https?:\/\/[^\s]+$/.test(text);

function HowToTell({ name, isAdmin }: { readonly name: string; readonly isAdmin: boolean }) {
  return (
    <div class="panel stack">
      <h2>Nothing says yet what this is</h2>
      <p>Give it a README{isAdmin ? " in its settings, or" : ""}:</p>
      <Command text={`npx stowage repository set ${name} --readme README.md`} />
      <p>
        Or annotate its image: what stands in <code>org.opencontainers.image.description</code> is shown here.
      </p>
    </div>
  );
}

function AboutSkeleton() {
  return (
    <div class="stack" aria-busy="true">
      <Skeleton width={50} />
      <Skeleton width={64} />
      <Skeleton width={40} />
    </div>
  );
}
