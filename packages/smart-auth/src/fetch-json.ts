import { parseSafeUrl } from "./loopback.ts";

/** F1: our own deadline for one call to the issuer, in milliseconds, body included. */
const DEADLINE_MS = 2000;
/** S2 */
const LIMIT_BYTES = 256 * 1024;

export interface FetchSettings {
  readonly fetch: typeof globalThis.fetch;
  readonly development: boolean;
}

/** Fetched, but not with 200. */
export class UnexpectedStatus extends Error {}

/**
 * Gets a JSON document from an authorisation server: https only, no redirects, at most 256 KB, within 2 seconds (S2, F1).
 * Rejects otherwise.
 */
export async function fetchJson(url: string, { fetch, development }: FetchSettings): Promise<unknown> {
  if (parseSafeUrl(url, development) === undefined) throw new Error("the URL is not https");
  const signal = AbortSignal.timeout(DEADLINE_MS);
  // Raced as well as passed on: a fetch that was handed in may not heed its signal.
  const late = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(new Error("no answer within the deadline")), { once: true });
  });
  late.catch(() => undefined);
  const work = (async () => {
    const response = await fetch(url, { signal, redirect: "error", headers: { Accept: "application/json" } });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new UnexpectedStatus(`the issuer answered ${response.status}`);
    }
    return JSON.parse(await readLimited(response)) as unknown;
  })();
  return Promise.race([work, late]);
}

async function readLimited(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  // Leaving the loop cancels the body.
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > LIMIT_BYTES) throw new Error("the document is longer than 256 KB");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size).toString("utf8");
}
