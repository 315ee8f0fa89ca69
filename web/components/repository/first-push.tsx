import { Command } from "../command.tsx";

/** What to type to get a first image in. */
export function FirstPush({ name = "hello/world" }: { readonly name?: string }) {
  const image = `${location.host}/${name}:1.0`;
  return (
    <div class="stack-tight">
      <Command text={`docker login ${location.host}`} />
      <Command text={`docker tag IMAGE ${image}`} />
      <Command text={`docker push ${image}`} />
    </div>
  );
}
