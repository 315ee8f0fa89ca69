import { useState } from "preact/hooks";
import { ApiError, ask } from "../../api.ts";
import type { Upstream } from "../../operate/answers.ts";
import {
  type ClientFile,
  fileFor,
  MIRROR_CLIENTS,
  type MirrorClient,
  pullByName,
} from "../../operate/mirror-clients.ts";
import { useResource } from "../../resource.ts";
import { CodeBlock } from "../code-block.tsx";
import { Command } from "../command.tsx";
import { SelectField } from "../forms/select-field.tsx";
import { Problem } from "../problem.tsx";
import { Skeleton } from "../skeleton.tsx";

/** How clients find the mirror: files as the registry writes them, with its own address. */
export function MirrorClients({ upstreams }: { readonly upstreams: readonly Upstream[] }) {
  const [client, setClient] = useState<MirrorClient["value"]>("docker");
  const [first] = upstreams;
  const [chosen, choose] = useState(first?.name ?? "");
  const options = upstreams.map(({ name }) => ({ value: name, label: name }));
  const file = fileFor(client, chosen);
  return (
    <section class="panel stack">
      <h3>Set up clients</h3>
      <div class="fields">
        <SelectField name="client" label="Client" value={client} options={MIRROR_CLIENTS} onChange={setClient} />
        {(client === "containerd" || client === "name") && (
          <SelectField name="upstream" label="Upstream" value={chosen} options={options} onChange={choose} />
        )}
      </div>
      {file ? <File key={file.path} file={file} /> : <Command text={pullByName(chosen, location.host)} />}
    </section>
  );
}

function File({ file: { where, path } }: { readonly file: ClientFile }) {
  const { data, error, reload } = useResource(path, async (signal) => await (await ask(path, { signal })).text());
  // What is missing is a setting, and trying again sets none.
  if (error instanceof ApiError && error.status === 404) return <p class="notice warning wrap">{error.message}</p>;
  if (error) return <Problem error={error} onRetry={reload} />;
  if (data === undefined) return <Skeleton width={40} />;
  return (
    <>
      <CodeBlock label={where} text={data.trimEnd()} />
      <p class="quiet small">
        The registry has it at <a href={path}>{location.origin + path}</a>, for scripts.
      </p>
    </>
  );
}
