import type { TlsClientOptions } from "@wardline/perimeter";
import { type Decision, permit, type UpstreamPolicy, type UpstreamTarget } from "@wardline/policy-types";
import type { Breaker } from "@wardline/tiered-throttle";
import { type Dispatcher, errors, Pool } from "undici";
import type { Abort } from "./abort.ts";
import { createRotation, retryBudget } from "./balance.ts";
import { followSrv, type ResolveSrv } from "./discover.ts";

/** A system that holds data: one server, or several with the same data. */
export interface Upstream {
  readonly name: string;
  /** Base URL without a trailing slash: what its own links begin with. */
  readonly baseUrl: string;
  /** Path part of the base URL, without a trailing slash. */
  readonly basePath: string;
  /** How long the body of an answer may be silent, or as good as silent. */
  readonly bodyTimeoutMs: number;
  /** A deny when its circuit is open, or when it was given up; what else goes wrong rejects. */
  request(options: UpstreamRequest): Promise<Decision<Dispatcher.ResponseData>>;
  /** Base URLs of all its servers. */
  readonly baseUrls: () => readonly string[];
  /** Is asked nothing more, and closes when all it was asked has been answered. */
  retire(): Promise<void>;
  /** Cuts what it has in work. */
  close(): Promise<void>;
}

export interface UpstreamRequest {
  readonly method: string;
  /** Absolute path and query, below `basePath` of this upstream. */
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body?: Buffer | undefined;
  readonly signal?: AbortSignal;
  /** In place of `signal`: aborted by the caller, and by us when the deadline has passed. */
  readonly abort?: Abort;
}

export interface UpstreamFacts {
  readonly resolveSrv?: ResolveSrv;
  /** Absent: it is asked whatever its state. */
  readonly breaker?: Breaker;
  readonly tls?: TlsClientOptions;
}

interface Target {
  readonly url: string;
  readonly basePath: string;
  readonly pool: Pool;
  weight: number;
  healthy: boolean;
}

const PROBE_DEADLINE_MS = 2_000;
const BODY_TIMEOUT_MS = 30_000;
const SAFE: ReadonlySet<string> = new Set(["GET", "HEAD"]);

/**
 * Opens an upstream. Nothing is connected until the first request or probe. Follows no redirect. Asks again only where
 * nothing can have been done: a read that found no connection, of another server, within the budget.
 */
export function openUpstream(
  name: string,
  policy: UpstreamPolicy,
  { resolveSrv, breaker, tls }: UpstreamFacts = {},
): Upstream {
  const base = new URL(policy.url);
  const basePath = base.pathname.replace(/(?<!\/)\/+$/, "");
  const pick = createRotation<Target>();
  const budget = retryBudget(policy.retryShare ?? 0.1);
  let targets: readonly Target[] = (policy.targets ?? [{ url: policy.url }]).map((target) =>
    openTarget(target, policy, tls),
  );

  const stopFollowing =
    policy.srv === undefined
      ? undefined
      : followSrv(
          {
            name: policy.srv,
            base,
            refreshMs: (policy.srvRefreshSeconds ?? 30) * 1000,
            ...(resolveSrv === undefined ? {} : { resolve: resolveSrv }),
          },
          (found) => {
            targets = renew(targets, found, (target) => openTarget(target, policy, tls));
          },
        );
  const stopProbing = policy.probe === undefined ? undefined : probe(policy.probe, () => targets);

  async function askOneOf(options: UpstreamRequest, signal?: AbortSignal | Abort): Promise<Dispatcher.ResponseData> {
    budget.earn();
    const first = pick(targets);
    if (first === undefined) throw new Error("the upstream has no server");
    try {
      return await ask(first, options, basePath, signal);
    } catch (error) {
      if (!SAFE.has(options.method) || !isUnconnected(error) || signal?.aborted === true) throw error;
      const second = pick(targets, first);
      if (second === undefined || !budget.spend()) throw error;
      return ask(second, options, basePath, signal);
    }
  }

  return {
    name,
    baseUrl: base.origin + basePath,
    basePath,
    bodyTimeoutMs: policy.bodyTimeoutMs ?? BODY_TIMEOUT_MS,
    baseUrls: () => [base.origin + basePath, ...targets.map(({ url }) => url)],
    async request(options) {
      if (breaker === undefined) return permit(await askOneOf(options, options.abort ?? options.signal), []);
      return breaker.execute(async (signal: AbortSignal | Abort, follow) => {
        const answer = await askOneOf(options, signal);
        follow(answer.body);
        return answer;
      }, options);
    },
    async retire() {
      stopAsking();
      // One that was cut meanwhile is closed, too.
      await Promise.all(targets.map(({ pool }) => pool.close().catch(() => undefined)));
    },
    async close() {
      stopAsking();
      await Promise.all(targets.map(({ pool }) => pool.destroy()));
    },
  };

  function stopAsking(): void {
    stopFollowing?.();
    stopProbing?.();
  }
}

function openTarget({ url, weight = 1 }: UpstreamTarget, policy: UpstreamPolicy, tls?: TlsClientOptions): Target {
  const { origin, pathname } = new URL(url);
  const basePath = pathname.replace(/(?<!\/)\/+$/, "");
  const pool = new Pool(origin, {
    connections: policy.connections ?? 128,
    pipelining: 1,
    headersTimeout: policy.headersTimeoutMs ?? 30_000,
    bodyTimeout: policy.bodyTimeoutMs ?? BODY_TIMEOUT_MS,
    connect: { timeout: 5_000, ...tls },
    strictContentLength: true,
  });
  return { url: origin + basePath, basePath, pool, weight, healthy: true };
}

function ask(
  { pool, basePath }: Target,
  { method, path, headers, body }: UpstreamRequest,
  ownPath: string,
  signal: AbortSignal | Abort | undefined,
): Promise<Dispatcher.ResponseData> {
  return pool.request({
    method: method as Dispatcher.HttpMethod,
    path: basePath === ownPath ? path : basePath + path.slice(ownPath.length),
    headers,
    body: body ?? null,
    ...(signal === undefined ? {} : { signal }),
  });
}

/** Servers that stay keep their connections; those that are gone finish what they have. */
function renew(
  known: readonly Target[],
  found: readonly UpstreamTarget[],
  open: (target: UpstreamTarget) => Target,
): readonly Target[] {
  const next = found.map((one) => {
    const same = known.find(({ url }) => url === one.url);
    if (same === undefined) return open(one);
    same.weight = one.weight ?? 1;
    return same;
  });
  for (const target of known) if (!next.includes(target)) void target.pool.close();
  return next;
}

function probe(
  { path = "/metadata", intervalSeconds = 10 }: NonNullable<UpstreamPolicy["probe"]>,
  targets: () => readonly Target[],
): () => void {
  const timer = setInterval(() => {
    for (const target of targets()) void probeOne(target, path);
  }, intervalSeconds * 1000).unref();
  return () => clearInterval(timer);
}

async function probeOne(target: Target, path: string): Promise<void> {
  try {
    const { statusCode, body } = await target.pool.request({
      method: "GET",
      path: target.basePath + path,
      headers: { accept: "application/fhir+json" },
      signal: AbortSignal.timeout(PROBE_DEADLINE_MS),
    });
    await body.dump();
    target.healthy = statusCode < 500;
  } catch {
    target.healthy = false;
  }
}

/** Errors after which the server has certainly not seen the request. */
export function isUnconnected(error: unknown): boolean {
  if (error instanceof errors.ConnectTimeoutError) return true;
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "ECONNREFUSED" || code === "ENOTFOUND" || code === "EHOSTUNREACH" || code === "ENETUNREACH";
}
