import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, type JWK } from "jose";
import { type Configuration, type KoaContextWithOIDC, Provider } from "oidc-provider";

/** Claims that a token shall have besides, or instead of, those of its CI system; null takes one away. */
export type ClaimChanges = Readonly<Record<string, unknown>> & {
  /** The audience that the job asks for. */
  readonly aud?: string;
};

export type SigningAlgorithm = "RS256" | "ES256";

/** A real OpenID Connect provider on this machine, which gives tokens in the shapes that CI systems give them. */
export interface OidcProvider {
  readonly issuer: string;
  /** A token as GitHub Actions gives it to a job. */
  githubToken(changes?: ClaimChanges, algorithm?: SigningAlgorithm): Promise<string>;
  /** A token as GitLab CI gives it to a job. */
  gitlabToken(changes?: ClaimChanges, algorithm?: SigningAlgorithm): Promise<string>;
  close(): Promise<void>;
}

/** The audience of tokens, unless another is asked for. */
export const DEFAULT_AUDIENCE = "stowage";

const TOKEN_TTL_SECONDS = 300;

const ALGORITHMS: readonly SigningAlgorithm[] = ["RS256", "ES256"];

/** A resource indicator is a URI; an audience need not be one. */
const AUDIENCE_URN = "urn:audience:";

const CLAIMS_PARAMETER = "job_claims";

const CLIENT_SECRET = randomBytes(32).toString("base64url");

/** docs.github.com, "OpenID Connect reference": a push to the main branch. */
const GITHUB_CLAIMS: ClaimChanges = {
  sub: "repo:octo-org/octo-repo:ref:refs/heads/main",
  repository: "octo-org/octo-repo",
  repository_id: "74",
  repository_owner: "octo-org",
  repository_owner_id: "65",
  repository_visibility: "private",
  ref: "refs/heads/main",
  ref_type: "branch",
  ref_protected: "true",
  base_ref: "",
  head_ref: "",
  sha: "0123456789abcdef0123456789abcdef01234567",
  actor: "octocat",
  actor_id: "12",
  event_name: "push",
  environment: "production",
  workflow: "release",
  workflow_ref: "octo-org/octo-repo/.github/workflows/release.yml@refs/heads/main",
  job_workflow_ref: "octo-org/octo-automation/.github/workflows/oidc.yml@refs/heads/main",
  run_id: "30433642",
  run_number: "10",
  run_attempt: "2",
  runner_environment: "github-hosted",
};

/** docs.gitlab.com, "OpenID Connect (OIDC) Authentication Using ID Tokens": the same of a pipeline. */
const GITLAB_CLAIMS: ClaimChanges = {
  sub: "project_path:group/project:ref_type:branch:ref:main",
  project_id: "20",
  project_path: "group/project",
  namespace_id: "72",
  namespace_path: "group",
  user_id: "1",
  user_login: "sample-user",
  user_email: "sample-user@example.com",
  pipeline_id: "574",
  pipeline_source: "push",
  job_id: "302",
  ref: "main",
  ref_type: "branch",
  ref_path: "refs/heads/main",
  ref_protected: "true",
  environment: "production",
  environment_protected: "true",
  deployment_tier: "production",
  runner_id: 1,
  runner_environment: "self-hosted",
  sha: "0123456789abcdef0123456789abcdef01234567",
  project_visibility: "private",
  ci_config_ref_uri: "gitlab.example.com/group/project//.gitlab-ci.yml@refs/heads/main",
};

/** Starts a provider on a free port of 127.0.0.1, with new keys. */
export async function startOidcProvider(): Promise<OidcProvider> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const keys = await Promise.all(ALGORITHMS.map(makePrivateKey));
  const handle = new Provider(issuer, configure(keys)).callback();
  server.on("request", (request, response) => void handle(request, response));
  return {
    issuer,
    githubToken: async (changes = {}, algorithm = "RS256") =>
      await requestToken(issuer, algorithm, { ...GITHUB_CLAIMS, ...changes }),
    gitlabToken: async (changes = {}, algorithm = "RS256") =>
      await requestToken(issuer, algorithm, { ...GITLAB_CLAIMS, ...changes }),
    close: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function makePrivateKey(alg: SigningAlgorithm): Promise<JWK> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  return { ...(await exportJWK(privateKey)), alg, use: "sig", kid: randomBytes(8).toString("hex") };
}

/**
 * A client for each algorithm; what it asks for by its own credentials (RFC 6749, section 4.4) is an access token in JWT
 * form, for the audience that its resource indicator names (RFC 8707).
 */
function configure(keys: readonly JWK[]): Configuration {
  return {
    jwks: { keys: [...keys] },
    clients: ALGORITHMS.map((algorithm) => ({
      client_id: algorithm,
      client_secret: CLIENT_SECRET,
      grant_types: ["client_credentials"],
      redirect_uris: [],
      response_types: [],
    })),
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_context, resource, client) => ({
          scope: "",
          audience: decodeURIComponent(resource.slice(AUDIENCE_URN.length)),
          accessTokenTTL: TOKEN_TTL_SECONDS,
          accessTokenFormat: "jwt",
          jwt: { sign: { alg: client.clientId as SigningAlgorithm } },
        }),
      },
    },
    formats: {
      customizers: {
        jwt: (context, _token, parts) => {
          parts.header = { typ: "JWT" };
          // An access token names the client that asked for it; a CI system's token has no such claim.
          parts.payload = withoutNulls({ ...parts.payload, client_id: null, ...jobClaims(context) });
        },
      },
    },
  };
}

/** The claims come with the request, as a CI system knows its job by it. */
function jobClaims({ oidc }: KoaContextWithOIDC): ClaimChanges {
  return JSON.parse(String(oidc.body?.[CLAIMS_PARAMETER])) as ClaimChanges;
}

function withoutNulls(claims: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== null));
}

async function requestToken(
  issuer: string,
  algorithm: SigningAlgorithm,
  { aud = DEFAULT_AUDIENCE, ...claims }: ClaimChanges,
): Promise<string> {
  const response = await fetch(`${issuer}/token`, {
    method: "POST",
    headers: { authorization: `Basic ${Buffer.from(`${algorithm}:${CLIENT_SECRET}`).toString("base64")}` },
    body: new URLSearchParams({
      grant_type: "client_credentials",
      resource: `${AUDIENCE_URN}${encodeURIComponent(aud)}`,
      [CLAIMS_PARAMETER]: JSON.stringify(claims),
    }),
  });
  const answer = (await response.json()) as { access_token?: string };
  if (answer.access_token === undefined) throw new Error(`the provider gave no token: ${JSON.stringify(answer)}`);
  return answer.access_token;
}
