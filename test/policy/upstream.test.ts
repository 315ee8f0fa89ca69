import { describe, expect, it } from "vitest";
import { parseRepositoryName } from "../../src/oci/repository-name.ts";
import { allowedActions } from "../../src/policy/policy.ts";
import { grantsOfUpstreams, mirrorAtRoot, mirrorByName, mirrorByNamespace } from "../../src/policy/upstream.ts";
import { parseUpstreams } from "../../src/policy/upstream-settings.ts";

const UPSTREAMS = parseUpstreams(
  JSON.stringify([
    { name: "docker.io", repositories: ["library/*", "grafana/**"], anonymous: true, root: true },
    { name: "ghcr.io", root: ["ghcr.example.org"] },
    { name: "up.test", url: "https://registry.up.test:8443" },
  ]),
  {},
);

const shown = (mirror: ReturnType<typeof mirrorByName>) =>
  mirror && [mirror.repository, mirror.upstream.name, mirror.remote];

describe("a name means what mirrors", () => {
  it.each([
    ["docker.io/library/nginx", ["docker.io/library/nginx", "docker.io", "library/nginx"]],
    ["docker.io/nginx", ["docker.io/library/nginx", "docker.io", "library/nginx"]],
    ["docker.io/grafana/loki/canary", ["docker.io/grafana/loki/canary", "docker.io", "grafana/loki/canary"]],
    ["ghcr.io/app", ["ghcr.io/app", "ghcr.io", "app"]],
    ["docker.io/other/app", undefined],
    ["docker.io", undefined],
    ["docker.iox/library/nginx", undefined],
    ["team/docker.io/library/nginx", undefined],
    ["quay.io/team/app", undefined],
  ])("by itself: %s", (name, mirror) => {
    expect(shown(mirrorByName(UPSTREAMS, parseRepositoryName(name)))).toEqual(mirror);
  });

  it.each([
    ["docker.io", "library/nginx", "docker.io/library/nginx"],
    ["docker.io", "nginx", "docker.io/library/nginx"],
    ["registry-1.docker.io", "library/nginx", "docker.io/library/nginx"],
    ["registry.up.test:8443", "team/app", "up.test/team/app"],
    ["up.test", "team/app", "up.test/team/app"],
    ["docker.io", "other/app", undefined],
    ["registry.up.test", "team/app", undefined],
    ["", "team/app", undefined],
  ])("by the namespace %j: %s", (namespace, name, repository) => {
    expect(mirrorByNamespace(UPSTREAMS, namespace, parseRepositoryName(name))?.repository).toBe(repository);
  });

  it.each([
    ["registry.example.org", "nginx", "docker.io/library/nginx"],
    ["registry.example.org", "library/nginx", "docker.io/library/nginx"],
    ["registry.example.org", "team/app", undefined],
    ["ghcr.example.org", "team/app", "ghcr.io/team/app"],
    ["registry.example.org", "docker.io/other/app", undefined],
    ["ghcr.example.org", "up.test/team/app", undefined],
  ])("at the root of %s: %s", (hostname, name, repository) => {
    expect(mirrorAtRoot(UPSTREAMS, hostname, parseRepositoryName(name))?.repository).toBe(repository);
  });
});

it.each([
  ["docker.io/library/nginx", ["pull"]],
  ["docker.io/other/app", []],
  ["ghcr.io/team/app", []],
  ["library/nginx", []],
])("lets anyone do with %s: %j", (name, actions) => {
  expect(allowedActions(grantsOfUpstreams(UPSTREAMS), parseRepositoryName(name))).toEqual(actions);
});
