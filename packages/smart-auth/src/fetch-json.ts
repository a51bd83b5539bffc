import { parseSafeUrl } from "./loopback.ts";

/** F1: our own deadline for one call to the issuer, in milliseconds, body included. */
const DEADLINE_MS = 2000;
/** S2 */
const LIMIT_BYTES = 256 * 1024;

export interface FetchSettings {
  readonly fetch: typeof globalThis.fetch;
  readonly development: boolean;
}

/** One call; without a body a GET. */
export interface IssuerCall {
  readonly accept: string;
  readonly form?: URLSearchParams;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface IssuerAnswer {
  /** Lower case, without parameters. */
  readonly mediaType: string;
  readonly text: string;
  readonly cacheControl: string;
}

/** Fetched, but not with 200. */
export class UnexpectedStatus extends Error {}

/** Gets a JSON document from an authorisation server, see `callIssuer`. Rejects otherwise. */
export async function fetchJson(url: string, settings: FetchSettings): Promise<unknown> {
  const { text } = await callIssuer(url, { accept: "application/json" }, settings);
  return JSON.parse(text) as unknown;
}

/**
 * Calls an authorisation server: https only, no redirects, at most 256 KB, 200 within 2 seconds (S2, F1). Rejects
 * otherwise.
 */
export async function callIssuer(
  url: string,
  { accept, form, headers }: IssuerCall,
  { fetch, development }: FetchSettings,
): Promise<IssuerAnswer> {
  if (parseSafeUrl(url, development) === undefined) throw new Error("the URL is not https");
  const signal = AbortSignal.timeout(DEADLINE_MS);
  // Raced as well as passed on: a fetch that was handed in may not heed its signal.
  const late = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(new Error("no answer within the deadline")), { once: true });
  });
  late.catch(() => undefined);
  const work = (async () => {
    const response = await fetch(url, {
      signal,
      redirect: "error",
      headers: { ...headers, Accept: accept },
      ...(form === undefined ? {} : { method: "POST", body: form }),
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new UnexpectedStatus(`the issuer answered ${response.status}`);
    }
    const [mediaType = ""] = (response.headers.get("content-type") ?? "").split(";");
    const cacheControl = response.headers.get("cache-control") ?? "";
    return { mediaType: mediaType.trim().toLowerCase(), text: await readLimited(response), cacheControl };
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
