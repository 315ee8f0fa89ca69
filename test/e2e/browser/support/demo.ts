import { expect } from "vitest";
import { ADMIN, basicAuth } from "../../support/access.ts";
import { registry } from "../../support/registry.ts";
import type { Workspace } from "../../support/workspace.ts";
import { pushImage } from "./seed.ts";

const README = `# Shop: the web server

Serves the shop's pages, and talks to \`shop/orders\`.

## What it needs

| variable | |
|---|---|
| \`DATABASE_URL\` | where the orders are |
| \`PORT\` | 8080, if nothing is said |

\`\`\`sh
docker run --publish 8080:8080 --env DATABASE_URL IMAGE
\`\`\`
`;

const SCRIPT = "<script>taken=true</script><img src=x onerror=taken=true>";

async function api(method: string, path: string, body?: object): Promise<void> {
  const response = await fetch(`${registry.url}/api/${path}`, {
    method,
    headers: { authorization: basicAuth(ADMIN), "content-type": "application/json" },
    body: body ? JSON.stringify(body) : null,
  });
  const text = await response.text();
  // Of a registry that has it already, as where the suite runs a second time.
  expect(response.ok || response.status === 409, `${method} /api/${path}: ${response.status} ${text}`).toBe(true);
}

/** A small company's registry: images, people, robots and rules, so that each page has something to show. */
export async function seedDemo(workspace: Workspace): Promise<void> {
  const base = { "etc/os-release": "NAME=demo\nVERSION=13\n", "usr/lib/libc.so": "\u007fELF".repeat(20_000) };
  const config = ["--env", "PORT=8080", "--entrypoint", "/app/serve", "--workdir", "/app"];
  const label = (version: string) => ["--label", `org.opencontainers.image.version=${version}`];
  for (const version of ["1.9.4", "2.0.0", "2.1.0"]) {
    const app = {
      "app/serve": `#!/bin/sh\n# ${version}\n`.repeat(2000),
      "app/pages/index.html": `<h1>${version}</h1>`,
    };
    await pushImage(workspace, `shop/web:${version}`, {
      layers: [base, app],
      mutations: [...config, ...label(version)],
    });
  }
  await pushImage(workspace, "shop/web:arm", { layers: [base], mutations: ["--set-platform", "linux/arm64/v8"] });
  const index = [
    "index",
    "append",
    "--manifest",
    `${registry.host}/shop/web:2.1.0`,
    "--manifest",
    `${registry.host}/shop/web:arm`,
  ];
  await workspace.run("crane", [...index, "--tag", `${registry.host}/shop/web:latest`]);
  for (const name of ["shop/orders", "shop/mail", "tools/lint", "base/debian"]) {
    await pushImage(workspace, `${name}:1.0`, { layers: [base, { "bin/run": name }] });
  }
  await pushImage(workspace, "shop/hostile:1", {
    layers: [{ "<script>taken=true<.script>": "x" }],
    mutations: [
      "--label",
      `about=${SCRIPT}`,
      "--env",
      `ABOUT=${SCRIPT}`,
      "--annotation",
      `org.opencontainers.image.description=${SCRIPT}`,
      "--annotation",
      "org.opencontainers.image.url=javascript:taken=true",
    ],
  });
  await api("PATCH", "repositories/shop/web", { visibility: "public", description: "The shop's web server" });
  await api("PUT", "readme", { repository: "shop/web", readme: README });
  await api("POST", "accounts", { name: "alice" });
  await api("POST", "policy/rules", { subject: "account:alice", repository: "shop/**", actions: ["pull", "push"] });
  await api("POST", "tokens", { name: "ci", repositories: ["shop/*"], actions: ["pull", "push"], expires: "90d" });
  await api("PUT", "retention/releases", { repository: "shop/**", tags: ["*.*.*"], keep: { newest: 2 } });
  await api("POST", "trust", {
    name: "github",
    issuer: "https://token.actions.githubusercontent.com",
    audience: registry.host,
    claims: { repository_owner: "acme", ref: "refs/heads/main" },
    repositories: ["shop/${repository}"],
    actions: ["pull", "push"],
  });
}
