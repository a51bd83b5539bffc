import { Pieces } from "@wardline/policy-types/express";
import { type AskedOperation, FILE_KINDS, type FileKind } from "./job.ts";
import { type ProxyExportOptions, type ProxySettings, parseProxyExport } from "./proxy-options.ts";
import type { RunContext, RunJob } from "./work.ts";

/**
 * Work for `asyncOperations` that lets an upstream do its own export, waits for it and fetches its files, so that they can be judged.
 * However the job ends, the upstream is told to forget its own.
 *
 * Does NOT follow redirects, and sends credentials to nobody but the upstream. Does NOT take up an export of the upstream's that a
 * dead worker began: the second attempt begins a second one.
 *
 * Throws a `ConfigurationError` with every mistake in the options.
 *
 * @see https://hl7.org/fhir/uv/bulkdata/STU2/export.html
 */
export function proxyExport(options: ProxyExportOptions): RunJob {
  const settings = parseProxyExport(options);
  return async function runProxiedExport({ asked }, context) {
    const status = await kickOff(asked, settings, context.signal);
    try {
      const manifest = await waitFor(status, settings, context);
      const files = filesIn(manifest, settings);
      for (const [at, file] of files.entries()) {
        await fetchFile(file, settings, context);
        context.progress(0.5 + (at + 1) / files.length / 2);
      }
      context.asOf(manifest.transactionTime);
    } finally {
      // Not the job's signal, which may be why we are here.
      await call(status, settings, { method: "DELETE" }).then(discard, () => undefined);
    }
  };
}

interface Manifest {
  readonly transactionTime: string;
  readonly [list: string]: unknown;
}

interface UpstreamFile {
  readonly kind: FileKind;
  readonly type: string;
  readonly url: string;
}

async function kickOff(asked: AskedOperation, settings: ProxySettings, signal: AbortSignal): Promise<string> {
  const answer = await call(`${settings.baseUrl}${asked.url}`, settings, {
    method: asked.method,
    headers: {
      Accept: "application/fhir+json",
      Prefer: "respond-async",
      ...(asked.body === undefined ? {} : { "Content-Type": "application/fhir+json" }),
    },
    ...(asked.body === undefined ? {} : { body: JSON.stringify(asked.body) }),
    signal,
  });
  await discard(answer);
  const place = answer.headers.get("content-location");
  if (answer.status !== 202 || place === null) throw new Error("the upstream did not begin an export");
  return below(new URL(place, `${settings.baseUrl}/`).href, settings);
}

async function waitFor(status: string, settings: ProxySettings, { signal, progress }: RunContext): Promise<Manifest> {
  for (;;) {
    const answer = await call(status, settings, { headers: { Accept: "application/json" }, signal });
    if (answer.status === 200) return parseManifest(await boundedText(answer, settings.manifestBytes));
    await discard(answer);
    // 429 and 503 say when to ask again; anything else is the end.
    if (![202, 429, 503].includes(answer.status)) throw new Error("the upstream's export failed");
    const [, percent] = /(\d{1,3}(?:\.\d+)?)\s*%/.exec(answer.headers.get("x-progress") ?? "") ?? [];
    if (percent !== undefined) progress(Number(percent) / 200);
    await settings.sleep(retryAfterOf(answer, settings) * 1000, signal);
  }
}

async function fetchFile(
  { kind, type, url }: UpstreamFile,
  settings: ProxySettings,
  context: RunContext,
): Promise<void> {
  // A file may take as long as the job may; a silence may not.
  const stalled = new AbortController();
  const signal = AbortSignal.any([context.signal, stalled.signal]);
  const timer = setTimeout(() => stalled.abort(), settings.stallSeconds * 1000);
  try {
    const headers = {
      Accept: "application/fhir+ndjson",
      ...(isUpstreams(url, settings) ? await settings.headers() : {}),
    };
    const answer = await settings.fetch(url, { headers, redirect: "error", signal });
    if (answer.status !== 200 || answer.body === null)
      throw new Error("the upstream did not give a file of its export");
    async function* chunks(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
      for await (const chunk of body) {
        timer.refresh();
        yield chunk;
      }
    }
    await context.output(type, kind).append(chunks(answer.body as unknown as AsyncIterable<Uint8Array>));
  } finally {
    clearTimeout(timer);
  }
}

function filesIn(manifest: Manifest, settings: ProxySettings): UpstreamFile[] {
  return FILE_KINDS.flatMap((kind) => {
    const list = manifest[kind] ?? [];
    if (!Array.isArray(list)) throw new Error("the upstream's manifest cannot be read");
    return (list as { readonly type?: unknown; readonly url?: unknown }[]).map(({ type, url }) => {
      if (typeof type !== "string" || typeof url !== "string")
        throw new Error("the upstream's manifest cannot be read");
      const { origin, href } = new URL(url, `${settings.baseUrl}/`);
      if (!isUpstreams(href, settings) && !settings.fileOrigins.includes(origin))
        throw new Error("the upstream keeps a file where none is fetched from");
      return { kind, type, url: href };
    });
  });
}

function parseManifest(text: string): Manifest {
  const value: unknown = JSON.parse(text);
  const isManifest =
    typeof value === "object" &&
    value !== null &&
    typeof (value as Manifest).transactionTime === "string" &&
    Array.isArray((value as Manifest)["output"]);
  if (!isManifest) throw new Error("the upstream's manifest cannot be read");
  return value as Manifest;
}

/** One short question to the upstream, under a deadline of ours (F1). */
async function call(
  url: string,
  settings: ProxySettings,
  init: Omit<RequestInit, "headers"> & { readonly headers?: Readonly<Record<string, string>> },
): Promise<Response> {
  // The timer holds it: Node 20 may collect an `AbortSignal.timeout` within an `AbortSignal.any` before it fires.
  const late = new AbortController();
  setTimeout(
    () => late.abort(new DOMException("the deadline passed", "TimeoutError")),
    settings.deadlineSeconds * 1000,
  ).unref();
  const signal = init.signal ? AbortSignal.any([init.signal, late.signal]) : late.signal;
  const headers = { ...init.headers, ...(await settings.headers()) };
  return settings.fetch(url, { ...init, headers, redirect: "error", signal });
}

async function discard(answer: Response): Promise<void> {
  await answer.body?.cancel();
}

async function boundedText(answer: Response, limit: number): Promise<string> {
  const pieces = new Pieces();
  for await (const chunk of (answer.body ?? []) as AsyncIterable<Uint8Array>) {
    if (pieces.size + chunk.length > limit) throw new Error("the upstream's manifest is too long");
    pieces.add(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
  }
  return pieces.take().toString();
}

function retryAfterOf(answer: Response, { maxPollSeconds }: ProxySettings): number {
  const text = answer.headers.get("retry-after") ?? "";
  const seconds = /^\d+$/.test(text) ? Number(text) : (Date.parse(text) - Date.now()) / 1000;
  return Math.min(Math.max(Number.isFinite(seconds) ? seconds : 5, 1), maxPollSeconds);
}

function isUpstreams(href: string, { baseUrl }: ProxySettings): boolean {
  const { origin, pathname } = new URL(href);
  const base = new URL(baseUrl);
  return origin === base.origin && `${pathname}/`.startsWith(`${base.pathname.replace(/\/$/, "")}/`);
}

function below(href: string, settings: ProxySettings): string {
  if (!isUpstreams(href, settings)) throw new Error("the upstream's status URL lies elsewhere");
  return href;
}
