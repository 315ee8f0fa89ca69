import { describe, expect, it } from "vitest";
import { parseRepositoryName } from "../../src/oci/repository-name.ts";
import { mirrorAtRoot } from "../../src/policy/upstream.ts";
import { parseUpstreams } from "../../src/policy/upstream-settings.ts";

describe("an upstream at the root", () => {
  const upstreams = parseUpstreams(
    '[{"name":"docker.io","root":true},{"name":"up.test","repositories":["open/*"]}]',
    {},
  );

  it.each(["up.test/closed/app", "docker.io/library/app"])(
    "is not asked for %s, which is another's by its name",
    (name) => {
      expect(mirrorAtRoot(upstreams, "registry.test", parseRepositoryName(name))).toBeUndefined();
    },
  );

  it("is asked for what begins with no upstream's name", () => {
    const address = mirrorAtRoot(upstreams, "registry.test", parseRepositoryName("library/app"));
    expect(address).toMatchObject({ repository: "docker.io/library/app", remote: "library/app" });
  });
});
