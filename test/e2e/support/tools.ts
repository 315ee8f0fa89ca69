import { delimiter, join } from "node:path";
import { describe, expect, test } from "vitest";
import { isExecutable, TOOL_PATH } from "./paths.ts";

/** The programs that the suites use, and where scripts/install-tools.sh takes each from. */
const ORIGINS = {
  buildah: "Debian package buildah",
  chromium: "Debian package chromium",
  containerd: "Debian package containerd",
  crane: "Go module in test/e2e/tools/crane",
  ctr: "Debian package containerd",
  curl: "Debian package curl",
  docker: "Debian package docker.io",
  "docker-registry": "Debian package docker-registry",
  dockerd: "Debian package docker.io",
  jq: "Debian package jq",
  openssl: "Debian package openssl",
  oras: "Go module in test/e2e/tools/oras",
  podman: "Debian package podman",
  regctl: "Go module in test/e2e/tools/regctl",
  skopeo: "Debian package skopeo",
  tar: "Debian package tar",
  umoci: "Debian package umoci",
} as const;

/** A program that a suite may need. */
export type Tool = keyof typeof ORIGINS;

/**
 * A group of tests that needs programs of the machine. When one is missing, the group is skipped with a sentence that
 * says what to install; under CI=true that is a failure instead, because there everything must have run.
 */
export function describeWithTools(title: string, tools: readonly Tool[], body: () => void): void {
  const missing = tools.filter((tool) => !isInstalled(tool));
  if (missing.length === 0) return void describe(title, body);
  const lack = `missing ${missing.map((tool) => `${tool} (${ORIGINS[tool]})`).join(", ")}: run scripts/install-tools.sh`;
  if (process.env.CI === "true") {
    return void describe(title, () => {
      test(lack, () => expect.fail(lack));
    });
  }
  process.stderr.write(`${title} is skipped: ${lack}\n`);
  describe.skip(title, body);
}

function isInstalled(tool: Tool): boolean {
  return findTool(tool) !== undefined;
}

function findTool(tool: Tool): string | undefined {
  const folders = TOOL_PATH.split(delimiter).filter((folder) => folder !== "");
  return folders.map((folder) => join(folder, tool)).find(isExecutable);
}

/** Where a program is. Throws when it is nowhere. */
export function toolPath(tool: Tool): string {
  const path = findTool(tool);
  if (path === undefined) throw new Error(`there is no program ${tool} (${ORIGINS[tool]})`);
  return path;
}
