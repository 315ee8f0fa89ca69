import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { expect } from "vitest";
import { ADMIN, basicAuth } from "../../support/access.ts";
import { logIn } from "../../support/clients.ts";
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

/** A file that no compression makes smaller. */
const writeRandom = async (path: string, bytes: number): Promise<void> => await writeFile(path, randomBytes(bytes));

/** Builds an image with steps, as a Containerfile does, and pushes it. */
async function build(workspace: Workspace, image: string, steps: readonly string[]): Promise<void> {
  const context = workspace.path("context");
  await writeFile(`${context}/Containerfile`, ["FROM scratch", "COPY base /", ...steps].join("\n"));
  const made = ["--quiet", "--layers", "--arch", "amd64", "--tag", image, context];
  await workspace.run("buildah", ["build", ...made]);
  await workspace.run("buildah", ["push", "--quiet", "--tls-verify=false", image]);
}

/** A small company's registry: images, people, robots and rules, so that each page has something to show. */
export async function seedDemo(workspace: Workspace): Promise<void> {
  const context = workspace.path("context");
  await mkdir(`${context}/base/usr/lib`, { recursive: true });
  await mkdir(`${context}/base/etc`, { recursive: true });
  await mkdir(`${context}/app/pages`, { recursive: true });
  await writeFile(`${context}/base/etc/os-release`, "NAME=demo\nVERSION=13\n");
  await writeRandom(`${context}/base/usr/lib/libc.so.6`, 2_800_000);
  await logIn("buildah", workspace);
  for (const version of ["1.9.4", "2.0.0", "2.1.0"]) {
    await writeRandom(`${context}/app/serve`, 1_200_000);
    await writeFile(`${context}/app/pages/index.html`, `<h1>${version}</h1>`);
    await build(workspace, `${registry.host}/shop/web:${version}`, [
      "COPY app /app",
      `LABEL org.opencontainers.image.version=${version}`,
      "ENV PORT=8080",
      "EXPOSE 8080",
      'ENTRYPOINT ["/app/serve"]',
    ]);
  }
  const platform = ["--set-platform", "linux/arm64/v8"];
  await pushImage(workspace, "shop/web:arm", { layers: [{ "app/serve": "arm" }], mutations: platform });
  const of = (tag: string) => ["--manifest", `${registry.host}/shop/web:${tag}`];
  const latest = `${registry.host}/shop/web:latest`;
  await workspace.run("crane", ["index", "append", ...of("2.1.0"), ...of("arm"), "--tag", latest]);
  for (const [name, bytes] of [
    ["shop/orders", 900_000],
    ["shop/mail", 400_000],
    ["tools/lint", 5_100_000],
  ] as const) {
    await writeRandom(`${context}/app/serve`, bytes);
    await build(workspace, `${registry.host}/${name}:1.0`, ["COPY app /app"]);
  }
  await pushImage(workspace, "shop/hostile:1", {
    layers: [{ "<script>taken=true<.script>": "x" }],
    mutations: [
      ...["--label", `about=${SCRIPT}`, "--env", `ABOUT=${SCRIPT}`],
      ...["--annotation", `org.opencontainers.image.description=${SCRIPT}`],
      ...["--annotation", "org.opencontainers.image.url=javascript:taken=true"],
    ],
  });
  await seedPeople();
}

async function seedPeople(): Promise<void> {
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
