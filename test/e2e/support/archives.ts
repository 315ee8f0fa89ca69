import { readFile } from "node:fs/promises";
import { randomUUID } from "node:crypto";
import { expect } from "vitest";
import { registry } from "./registry.ts";
import type { Workspace } from "./workspace.ts";

/** What the registry answers to an archive that it took. */
export interface LoadedArchive {
  readonly digest: string;
  readonly mediaType: string;
}

const CURL = ["--silent", "--show-error", "--fail-with-body", "--user", `${registry.username}:${registry.password}`];

/** The address of an archive: `reference` is `:tag` or `@digest`, and may have parameters after `.tar`. */
export function archiveUrl(repository: string, reference: string): string {
  return `${registry.url}/archive/${repository}${reference}`;
}

/** Downloads an archive as people do, with curl, into a fresh file of the workspace. */
export async function download(workspace: Workspace, repository: string, reference: string): Promise<string> {
  const file = workspace.path("tmp", `${randomUUID()}.tar`);
  await workspace.run("curl", [...CURL, "--output", file, archiveUrl(repository, reference)]);
  return file;
}

/** Downloads as much of an archive as comes before so many bytes, and then the rest with `curl -C -`. */
export async function downloadInTwo(workspace: Workspace, repository: string, reference: string, bytes: number) {
  const file = workspace.path("tmp", `${randomUUID()}.tar`);
  const url = archiveUrl(repository, reference);
  await workspace.run("curl", [...CURL, "--range", `0-${bytes - 1}`, "--output", file, url]);
  expect((await readFile(file)).byteLength).toBe(bytes);
  await workspace.run("curl", [...CURL, "--continue-at", "-", "--output", file, url]);
  return file;
}

/** Uploads an archive with `curl -T`, and answers what the registry says of it. */
export async function upload(workspace: Workspace, file: string, repository: string, reference: string) {
  const url = archiveUrl(repository, reference);
  const answer = await workspace.run("curl", [...CURL, "--upload-file", file, url]);
  return JSON.parse(answer) as LoadedArchive;
}

/** Makes one archive of an image layout in a folder, and uploads it. */
export async function uploadLayout(workspace: Workspace, folder: string, repository: string, reference: string) {
  const file = workspace.path("tmp", `${randomUUID()}.tar`);
  await workspace.run("tar", ["--create", "--file", file, "--directory", folder, "."]);
  return await upload(workspace, file, repository, reference);
}
