import { relative } from "node:path";
import { styleText } from "node:util";
import { formatAddress, localAddress } from "./address.ts";
import type { PasswordSource } from "./settings.ts";

/** What the screen tells. */
export interface ScreenContent {
  host: string;
  port: number;
  data: string;
  /** Absent when the Worker knows no admin. */
  password: PasswordSource | undefined;
}

/** The one screen of a started server; its last line tells that it answers. */
export function formatScreen(content: ScreenContent): string {
  const address = localAddress(content.host, content.port);
  const rows: [label: string, text: string][] = [
    ["Address", `http://${address}`],
    ["Data", shorten(content.data)],
    ...formatPassword(content.password),
    ["", ""],
    ["Log in", `docker login ${address} --username admin`],
    ["Push", `docker tag IMAGE ${address}/IMAGE`],
    ["", `docker push ${address}/IMAGE`],
    ["Stop", "Ctrl-C"],
  ];
  const lines = rows.map(([label, text]) => (text === "" ? "" : `  ${bold(label.padEnd(10))}${text}`));
  const ready = `Stowage is ready on http://${formatAddress(content.host, content.port)}`;
  return ["", `${bold("Stowage")}, a container registry`, "", ...lines, "", ready, ""].join("\n");
}

function formatPassword(source: PasswordSource | undefined): [label: string, text: string][] {
  switch (source?.kind) {
    case undefined:
      return [];
    case "made":
      return [
        ["Account", "admin"],
        ["Password", `${source.password}  (shown this once; kept in ${shorten(source.path)})`],
      ];
    case "kept":
      return [
        ["Account", "admin"],
        ["Password", `in ${shorten(source.path)}`],
      ];
    case "given":
      return [
        ["Account", "admin"],
        ["Password", `from ${source.by}`],
      ];
  }
}

/** The path as seen from here, when it lies below. */
function shorten(path: string): string {
  const fromHere = relative(process.cwd(), path);
  return fromHere === "" || fromHere.startsWith("..") ? path : fromHere;
}

/** Bold on a terminal that wants it: `styleText` heeds NO_COLOR and whether stdout is a terminal. */
function bold(text: string): string {
  return styleText("bold", text, { stream: process.stdout });
}
