import { formatTime } from "../../format.ts";
import { type Setting, settingsOf } from "../../image/compare.ts";
import type { StoredConfig } from "../../image/read.ts";
import { JsonText } from "./json-text.tsx";

const TABLES = [
  ["Environment", "Environment"],
  ["Label", "Labels"],
] as const;

/** What an image runs as. */
export function ImageConfigView({ config }: { readonly config: StoredConfig }) {
  if (config.image === undefined) return <p class="notice warning">The config of this image is no JSON object.</p>;
  const settings = settingsOf(config.image);
  const single = settings.filter(({ group }) => !TABLES.some(([table]) => table === group));
  return (
    <div class="stack">
      {settings.length === 0 && <p class="quiet">The config says nothing of how this image runs.</p>}
      <dl class="pairs">
        {single.map((setting) => (
          <Pair key={setting.group + setting.name} {...setting} />
        ))}
      </dl>
      {TABLES.map(([group, title]) => (
        <SettingTable key={group} title={title} settings={settings.filter((setting) => setting.group === group)} />
      ))}
      <JsonText title="Config as JSON" text={config.text} />
    </div>
  );
}

function Pair({ group, value }: Setting) {
  const isTime = group === "Created" && !Number.isNaN(Date.parse(value));
  return (
    <>
      <dt>{group}</dt>
      <dd>{isTime ? <time dateTime={value}>{formatTime(value)}</time> : <code>{value}</code>}</dd>
    </>
  );
}

function SettingTable({ title, settings }: { readonly title: string; readonly settings: readonly Setting[] }) {
  if (settings.length === 0) return null;
  return (
    <section class="stack-tight">
      <h2>{title}</h2>
      <dl class="settings">
        {settings.map(({ name, value }, index) => (
          <div key={index}>
            <dt>
              <code>{name}</code>
            </dt>
            <dd>
              <code>{value}</code>
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
