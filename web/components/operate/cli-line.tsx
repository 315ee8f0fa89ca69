import { stowageCommand } from "../../operate/text.ts";
import { Command } from "../command.tsx";

/** How the same is done by the command line. */
export function CliLine({ args }: { readonly args: readonly string[] }) {
  return (
    <div class="stack-tight">
      <span class="quiet small">The same by the command line</span>
      <Command text={stowageCommand(location.origin, args)} />
    </div>
  );
}
