import { mkdtemp, rm } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type AccessRecord,
  type ControlDecision,
  type PolicyDocument,
  type PolicySource,
  TRUST_ZONES,
} from "@wardline/policy-types";
import { createGateway } from "../gateway.ts";
import { checkPolicy } from "../policy/load.ts";
import { routeFinder } from "../routes.ts";
import { standInIssuers } from "./token.ts";
import { type AskedUpstream, type GivenResource, openWorld } from "./world.ts";

/** A request to be explained. */
export interface QuestionedRequest {
  /** Default GET. */
  readonly method?: string;
  /** Path and query as a client sends them: `/fhir/Patient/a`. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** A resource, or a text sent as it is. */
  readonly body?: unknown;
  /** Claims of the access token; `iss`, `aud`, `sub`, `client_id`, times and `jti` are filled in. Absent: no token. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** Address it comes from. Default 192.0.2.1. */
  readonly address?: string;
}

/** What the edge did and by which right. */
export interface Explanation {
  readonly status: number;
  /** `Problem.code` of the refusal. */
  readonly code?: string;
  readonly route?: string;
  readonly zone?: string;
  readonly interaction?: string;
  /** Which endpoint of the authorisation server it was for. */
  readonly signIn?: string;
  readonly resourceType?: string;
  readonly decisions: readonly ControlDecision[];
  /** What the upstream was asked, narrowed. Empty when nothing was. */
  readonly upstream: readonly AskedUpstream[];
  readonly body: string;
}

export interface Explainer {
  explain(question: QuestionedRequest): Promise<Explanation>;
  close(): Promise<void>;
}

/**
 * Runs the very pipeline a policy assembles, on this machine and nothing outside it: its issuers and upstreams are stood
 * in for, its ledger is a folder that is thrown away. So an explanation cannot differ from what the gateway does.
 *
 * Does NOT ask for the policy's signature, and terminates no TLS: the request counts as having come over https.
 *
 * @throws {ConfigurationError} when the policy is wrong
 */
export async function openExplainer(
  source: PolicySource,
  resources: readonly GivenResource[] = [],
): Promise<Explainer> {
  const { policy } = checkPolicy(source);
  const [world, issuers, folder] = await Promise.all([
    openWorld(resources),
    standInIssuers(policy),
    mkdtemp(join(tmpdir(), "wardline-explain-")),
  ]);
  let last: AccessRecord | undefined;
  const gateway = await createGateway(
    {
      ...confined(policy),
      ...(issuers.issuers.length === 0 ? {} : { issuers: issuers.issuers }),
      upstreams: standInUpstreams(policy, world.url),
      audit: { ...policy.audit, folder, durability: "async", identifiers: "clear" },
    },
    {
      fetch: issuers.fetch,
      onEvent: () => undefined,
      onRecord: (record) => {
        last = record;
      },
      drainMs: 0,
    },
  );
  const close = async (): Promise<void> => {
    await gateway.close();
    await world.close();
    await rm(folder, { recursive: true, force: true });
  };
  const { port } = await gateway.listen().catch(async (error: unknown) => {
    await close();
    throw error;
  });
  const host = new URL(policy.publicOrigin).host;
  const findRoute = routeFinder(policy.routes);
  const audienceOf = ({ path }: QuestionedRequest): string => policy.publicOrigin + (findRoute(path)?.path ?? "");

  return {
    async explain(question) {
      world.asked.length = 0;
      last = undefined;
      const token =
        question.claims === undefined
          ? undefined
          : await issuers.token(question.claims, audienceOf(question), Date.now());
      const answer = await send(port, host, question, token);
      return render(answer, last, [...world.asked]);
    },
    close,
  };
}

function standInUpstreams({ upstreams, signIn }: PolicyDocument, url: string): PolicyDocument["upstreams"] {
  const of = (name: string): string =>
    signIn !== undefined && name === signIn.upstream ? new URL(url).origin + signIn.path : url;
  return Object.fromEntries(Object.keys(upstreams).map((name) => [name, { url: of(name) }]));
}

/** Everything that would reach or keep something outside is left out; one door stands for all, behind a terminator. */
function confined(policy: PolicyDocument): PolicySource {
  const {
    admin: _admin,
    issuers: _issuers,
    redis: _redis,
    usage: _usage,
    listeners: _listeners,
    payer: _payer,
    ...kept
  } = policy;
  const { abuse, consent, bulkExport: _bulkExport, ...rest } = kept;
  const { file: _file, ...consents } = consent ?? {};
  const { webhook: _webhook, key: _key, ...watching } = abuse === undefined || abuse === false ? {} : abuse;
  return {
    ...rest,
    ...(consent === undefined ? {} : { consent: consents }),
    abuse: abuse === false ? false : watching,
    development: true,
    listen: { host: "127.0.0.1", port: 0, zones: TRUST_ZONES },
    trustedProxies: ["127.0.0.1/32"],
    clientCertificateHeader: { format: "rfc9440" },
  };
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

function send(port: number, host: string, question: QuestionedRequest, token: string | undefined): Promise<Answer> {
  const { method = "GET", path, body, address = "192.0.2.1" } = question;
  const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
  const headers: Record<string, string> = {
    Host: host,
    "X-Forwarded-For": address,
    "X-Forwarded-Proto": "https",
    ...(text === undefined ? {} : { "Content-Type": "application/fhir+json" }),
    ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
    ...question.headers,
  };
  return new Promise((resolve, reject) => {
    const req = request({ host: "127.0.0.1", port, path, method, headers, agent: false }, (res) => {
      let got = "";
      res.setEncoding("utf8").on("data", (chunk: string) => {
        got += chunk;
      });
      // The record is complete once the connection is done with the answer.
      res.once("close", () => resolve({ status: res.statusCode ?? 0, body: got }));
      res.once("error", reject);
    });
    req.once("error", reject);
    req.end(text);
  });
}

function render({ status, body }: Answer, record: AccessRecord | undefined, upstream: AskedUpstream[]): Explanation {
  return {
    status,
    ...(record?.problem === undefined ? {} : { code: record.problem }),
    ...(record?.routeId === undefined ? {} : { route: record.routeId }),
    ...(record?.zone === undefined ? {} : { zone: record.zone }),
    ...(record === undefined ? {} : { interaction: record.interaction }),
    ...(record?.signIn === undefined ? {} : { signIn: record.signIn.endpoint }),
    ...(record?.resourceType === undefined ? {} : { resourceType: record.resourceType }),
    decisions: record?.decisions ?? [],
    upstream,
    body,
  };
}
