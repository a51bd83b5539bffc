import type { UpstreamPolicy } from "@wardline/policy-types";
import { type Dispatcher, Pool } from "undici";

/** One server that holds data, with its own connections. */
export interface Upstream {
  readonly name: string;
  /** Base URL without a trailing slash. */
  readonly baseUrl: string;
  /** Path part of the base URL, without a trailing slash. */
  readonly basePath: string;
  request(options: UpstreamRequest): Promise<Dispatcher.ResponseData>;
  close(): Promise<void>;
}

export interface UpstreamRequest {
  readonly method: string;
  /** Absolute path and query. */
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body?: Buffer;
  readonly signal?: AbortSignal;
}

/** Opens an upstream. Nothing is connected until the first request. Never retries and never follows a redirect. */
export function openUpstream(name: string, policy: UpstreamPolicy): Upstream {
  const base = new URL(policy.url);
  const pool = new Pool(base.origin, {
    connections: policy.connections ?? 128,
    pipelining: 1,
    headersTimeout: policy.headersTimeoutMs ?? 30_000,
    bodyTimeout: policy.bodyTimeoutMs ?? 30_000,
    connect: { timeout: 5_000 },
    strictContentLength: true,
  });
  const basePath = base.pathname.replace(/\/+$/, "");
  return {
    name,
    baseUrl: base.origin + basePath,
    basePath,
    request: ({ method, path, headers, body, signal }) =>
      pool.request({
        method: method as Dispatcher.HttpMethod,
        path,
        headers,
        body: body ?? null,
        ...(signal === undefined ? {} : { signal }),
      }),
    close: () => pool.destroy(),
  };
}
