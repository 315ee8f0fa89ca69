import type { TrustRule } from "./answers.ts";
import type { TrustDraft } from "./access-drafts.ts";

/** An issuer of tokens that many use. */
export interface IssuerPreset {
  readonly id: string;
  readonly label: string;
  readonly issuer: string;
  /** Conditions to begin with; what is in capitals is to be replaced. */
  readonly claims: string;
  readonly repositories: string;
  readonly hint: string;
}

export const PRESETS: readonly IssuerPreset[] = [
  {
    id: "github",
    label: "GitHub Actions",
    issuer: "https://token.actions.githubusercontent.com",
    claims: "repository_owner=OWNER\nref=refs/heads/main",
    repositories: "ghcr/${repository}",
    hint: "Everybody at GitHub gets tokens of this issuer: say whose jobs you mean.",
  },
  {
    id: "gitlab",
    label: "GitLab",
    issuer: "https://gitlab.com",
    claims: "namespace_path=GROUP\nref_protected=true",
    repositories: "${project_path}",
    hint: "For a GitLab of your own, its address is the issuer. Everybody at gitlab.com gets tokens: say whose jobs you mean.",
  },
  {
    id: "kubernetes",
    label: "Kubernetes",
    issuer: "https://kubernetes.default.svc.cluster.local",
    claims: "kubernetes.io.namespace=NAMESPACE\nkubernetes.io.serviceaccount.name=NAME",
    repositories: "team/*",
    hint: "The issuer is what your cluster says: kubectl get --raw /.well-known/openid-configuration. Where the registry cannot reach it, give its keys.",
  },
  {
    id: "other",
    label: "Another issuer",
    issuer: "",
    claims: "",
    repositories: "",
    hint: "Any issuer of OpenID Connect: what stands as iss in its tokens, to the letter.",
  },
];

/** A draft that begins with a preset; the name stays. */
export const draftFrom = (preset: IssuerPreset, host: string, name = ""): TrustDraft => ({
  ...{ name, issuer: preset.issuer, audience: host, claims: preset.claims },
  ...{ repositories: preset.repositories, actions: ["pull", "push"], keys: "" },
});

/** What a job of the issuer does to log in. */
export interface Snippet {
  readonly where: string;
  readonly text: string;
}

/** How jobs log in by the rule, at the registry of this host. */
export function snippetsFor(rule: Pick<TrustRule, "issuer" | "audience" | "claims">, host: string): Snippet[] {
  const { issuer, audience, claims } = rule;
  if (issuer === "https://token.actions.githubusercontent.com") return [github(audience, host)];
  if (issuer === "https://gitlab.com" || "project_path" in claims || "namespace_path" in claims) {
    return [gitlab(audience, host)];
  }
  const isCluster = Object.keys(claims).some((name) => name.startsWith("kubernetes.io"));
  return isCluster ? kubernetes(audience, host) : [{ where: "In the job", text: loginFrom("TOKEN_FILE", host) }];
}

const login = (host: string): string => `docker login ${host} --username oidc --password-stdin`;
const loginFrom = (file: string, host: string): string => `${login(host)} < ${file}`;

const github = (audience: string, host: string): Snippet => ({
  where: "In the workflow",
  text: `permissions: { id-token: write, contents: read }
steps:
  - run: |
      curl -sS -H "Authorization: Bearer $ACTIONS_ID_TOKEN_REQUEST_TOKEN" \\
        "$ACTIONS_ID_TOKEN_REQUEST_URL&audience=${encodeURIComponent(audience)}" | jq -r .value |
        ${login(host)}`,
});

// A double-quoted text of YAML is one of JSON.
const gitlab = (audience: string, host: string): Snippet => ({
  where: "In .gitlab-ci.yml",
  text: `push:
  id_tokens:
    REGISTRY: { aud: ${JSON.stringify(audience)} }
  script:
    - echo "$REGISTRY" | ${login(host)}`,
});

const kubernetes = (audience: string, host: string): Snippet[] => [
  {
    where: "In the pod",
    text: `spec:
  containers:
    - volumeMounts: [{ name: registry, mountPath: /var/run/secrets/registry }]
  volumes:
    - name: registry
      projected:
        sources:
          - serviceAccountToken: { path: token, audience: ${JSON.stringify(audience)} }`,
  },
  { where: "In the job", text: loginFrom("/var/run/secrets/registry/token", host) },
];
