// What artifacts are, by the types that their tools give them.

/** How referrers are grouped. */
export const REFERRER_GROUPS = ["Signatures", "SBOMs", "Attestations", "Others"] as const;
export type ReferrerGroup = (typeof REFERRER_GROUPS)[number];

/** What something is, in words. */
export interface Kind {
  readonly group: ReferrerGroup;
  readonly name: string;
}

const kind = (group: ReferrerGroup, name: string): Kind => ({ group, name });

const KINDS: readonly (readonly [type: RegExp, kind: Kind])[] = [
  [/^application\/vnd\.dev\.cosign\.artifact\.sig\./, kind("Signatures", "Cosign signature")],
  [/^application\/vnd\.dev\.cosign\.simplesigning\./, kind("Signatures", "Cosign signature")],
  [/^application\/vnd\.cncf\.notary\.signature/, kind("Signatures", "Notation signature")],
  [/^application\/vnd\.dev\.sigstore\.bundle/, kind("Signatures", "Sigstore bundle")],
  [/^(application|text)\/(vnd\.)?spdx/, kind("SBOMs", "SPDX SBOM")],
  [/^application\/vnd\.cyclonedx/, kind("SBOMs", "CycloneDX SBOM")],
  [/^application\/vnd\.syft/, kind("SBOMs", "Syft SBOM")],
  [/^application\/vnd\.dev\.cosign\.artifact\.sbom\./, kind("SBOMs", "SBOM")],
  [/^application\/vnd\.in-toto/, kind("Attestations", "in-toto attestation")],
  [/^application\/vnd\.dsse/, kind("Attestations", "DSSE envelope")],
  [/^application\/vnd\.dev\.cosign\.attestation/, kind("Attestations", "Cosign attestation")],
  [/^application\/vnd\.docker\.attestation/, kind("Attestations", "BuildKit attestation")],
  [/^application\/(vnd\.)?sarif/, kind("Others", "Scan report (SARIF)")],
  [/^application\/vnd\.security\.vulnerability/, kind("Others", "Vulnerability report")],
  [/^application\/vnd\.(oci\.image|docker\.container\.image)/, kind("Others", "Image")],
];

const PREDICATES: readonly (readonly [type: RegExp, name: string])[] = [
  [/slsa\.dev\/provenance/, "SLSA provenance"],
  [/spdx\.dev\/Document/, "SPDX SBOM"],
  [/cyclonedx\.org\/bom/, "CycloneDX SBOM"],
  [/cosign\.sigstore\.dev\/attestation\/vuln/, "Vulnerability scan"],
  [/openvex\.dev/, "OpenVEX statement"],
];

/** What an in-toto statement says, by its predicate's type. */
export function namePredicate(predicateType: string): string {
  return PREDICATES.find(([type]) => type.test(predicateType))?.[1] ?? predicateType;
}

/** What something that refers to an image is. A bundle of sigstore is what its annotations say: a signature, or an attestation. */
export function kindOfReferrer(
  artifactType: string | undefined,
  annotations: Readonly<Record<string, string>> = {},
): Kind {
  const predicate = annotations["dev.sigstore.bundle.predicateType"] ?? annotations["in-toto.io/predicate-type"];
  if (predicate !== undefined && predicate !== "") return kind("Attestations", namePredicate(predicate));
  const known = KINDS.find(([type]) => type.test(artifactType ?? ""))?.[1];
  return known ?? kind("Others", artifactType ?? "Unknown");
}

/** The names under which cosign keeps what it has of a digest, where it does not use referrers. */
const COSIGN_SUFFIXES = new Map([
  ["sig", kind("Signatures", "Cosign signature")],
  ["att", kind("Attestations", "Cosign attestation")],
  ["sbom", kind("SBOMs", "SBOM, attached by cosign")],
]);

/** What all tags that cosign makes for a digest begin with. */
export const cosignPrefix = (digest: string): string => digest.replace(":", "-");

/** What a tag is to a digest, by cosign's scheme of tags; undefined for nothing. */
export function kindOfCosignTag(tag: string, digest: string): Kind | undefined {
  const prefix = `${cosignPrefix(digest)}.`;
  return tag.startsWith(prefix) ? COSIGN_SUFFIXES.get(tag.slice(prefix.length)) : undefined;
}

const ARTIFACTS: readonly (readonly [type: RegExp, name: string])[] = [
  [/^application\/vnd\.cncf\.helm\./, "Helm chart"],
  [/^application\/(vnd\.)?wasm/, "WebAssembly module"],
  [/^application\/vnd\.(cncf\.)?flux/, "Flux artifact"],
  [/^application\/vnd\.cncf\.openpolicyagent/, "OPA policy"],
  [/^application\/vnd\.cncf\.model/, "Model"],
  [/^application\/vnd\.homebrew/, "Homebrew bottle"],
  [/^application\/vnd\.devcontainers/, "Dev container feature"],
  [/^application\/vnd\.docker\.plugin/, "Docker plugin"],
  [/^application\/vnd\.(oci\.empty|unknown)/, "Files"],
];

/** What an artifact is, in words; its type, where it is one that nobody knows. */
export function nameArtifact(artifactType: string | undefined): string {
  if (artifactType === undefined) return "Files";
  const known = ARTIFACTS.find(([type]) => type.test(artifactType))?.[1];
  if (known !== undefined) return known;
  const { group, name } = kindOfReferrer(artifactType);
  if (name === "Image") return "Attestation";
  return group === "Others" ? artifactType : name;
}
