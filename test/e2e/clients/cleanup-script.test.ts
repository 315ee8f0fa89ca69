import { writeFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeImageLayout } from "../support/images.ts";
import { MANIFEST_TYPES, fetchManifest, imageName, listTags, manifestStatus, registry } from "../support/registry.ts";
import { describeWithTools } from "../support/tools.ts";
import { createWorkspace } from "../support/workspace.ts";
import type { Workspace } from "../support/workspace.ts";

const REPOSITORY = "nginx";

/**
 * The script that people run against other registries. It leans on small things: the spelling of the header's name, the
 * digest as its value's only word, and a list of tags that jq can walk through. (`tr` takes off the end of the header's
 * line, which curl itself refuses in an address.)
 */
const CLEAN_UP_SCRIPT = `
set -e -o pipefail
for TAG in $(curl -s -u "$CREDENTIALS" "http://$HOST/v2/nginx/tags/list" | jq -r '."tags"[]'); do
  DIGEST=$(curl -s -u "$CREDENTIALS" --head -X GET -H "Accept: application/vnd.docker.distribution.manifest.v2+json" \\
    "http://$HOST/v2/nginx/manifests/$TAG" | grep Docker-Content-Digest | awk '{print $2}' | tr -d '\\r')
  curl -s -f -u "$CREDENTIALS" -X DELETE "http://$HOST/v2/nginx/manifests/$DIGEST"
  echo "$TAG $DIGEST"
done
`;

describeWithTools("plain curl and jq", ["curl", "jq", "skopeo"], () => {
  let workspace: Workspace;

  beforeAll(async () => {
    // The script empties this repository for good: it must be the tests' own.
    expect(await listTags(REPOSITORY), `${REPOSITORY} is in use in ${registry.url}`).toEqual([]);
    workspace = await createWorkspace();
    workspace.env.HOST = registry.host;
    workspace.env.CREDENTIALS = `${registry.username}:${registry.password}`;
  });

  afterAll(() => workspace.remove());

  async function pushImage(tag: string): Promise<void> {
    const layout = workspace.path(tag);
    await writeImageLayout(layout, "v1", { layers: ["file"] });
    const options = ["--quiet", "--format", "v2s2", "--dest-tls-verify=false"];
    const login = ["--dest-creds", `${registry.username}:${registry.password}`];
    await workspace.run("skopeo", [
      ...["copy", ...options, ...login],
      ...[`oci:${layout}:v1`, `docker://${imageName(REPOSITORY, `:${tag}`)}`],
    ]);
  }

  test("lists the tags of a repository", async () => {
    await pushImage("1.27");
    const list = await workspace.run("bash", ["-c", 'curl -s -u "$CREDENTIALS" -XGET http://$HOST/v2/nginx/tags/list']);
    expect(JSON.parse(list)).toEqual({ name: REPOSITORY, tags: ["1.27"] });
  });

  test("cleans a repository up, tag by tag, with the script that people have", async () => {
    const tags = ["1.27", "1.28", "latest"];
    const digests: string[] = [];
    for (const tag of tags) {
      await pushImage(tag);
      const { digest, mediaType } = await fetchManifest(REPOSITORY, tag);
      expect(mediaType).toBe(MANIFEST_TYPES.dockerManifest);
      digests.push(digest);
    }
    await writeFile(workspace.path("clean-up.sh"), CLEAN_UP_SCRIPT);
    const output = await workspace.run("bash", [workspace.path("clean-up.sh")]);
    expect(output.split("\n").sort()).toEqual(tags.map((tag, index) => `${tag} ${digests[index]}`));

    for (const digest of digests) expect(await manifestStatus(REPOSITORY, digest)).toBe(404);
    expect(await listTags(REPOSITORY)).toEqual([]);
  });
});
