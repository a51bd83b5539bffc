import { randomBytes } from "node:crypto";
import type { Findings } from "@wardline/policy-types";
import { refuseUnknownKeys } from "@wardline/policy-types";
import { createSealer, type Sealer } from "./sealer.ts";

/** How page links are sealed. Every instance behind one address needs the same. */
export interface PageLinkOptions {
  /** 32 bytes each, as bytes or in base64url. The first seals, all of them open: put a new one in front. At most 4. */
  readonly keys: readonly (string | Uint8Array)[];
  /** How long a link counts. Default 900, at most 86 400. */
  readonly lifetimeSeconds?: number;
  readonly randomBytes?: (size: number) => Uint8Array;
}

const DEFAULT_LIFETIME = 900;
const KEY_LIMIT = 4;

export function parsePageLinks(
  found: Findings,
  options: PageLinkOptions,
  path: string,
  now: () => number,
): Sealer | undefined {
  refuseUnknownKeys(found, options, ["keys", "lifetimeSeconds", "randomBytes"], path);
  const { keys, lifetimeSeconds = DEFAULT_LIFETIME } = options;
  if (!Number.isSafeInteger(lifetimeSeconds) || lifetimeSeconds < 1 || lifetimeSeconds > 86_400) {
    found.add(`${path}.lifetimeSeconds`, "out-of-range", "must be a whole number of seconds from 1 to 86400");
  }
  if (options.randomBytes !== undefined && typeof options.randomBytes !== "function") {
    found.add(`${path}.randomBytes`, "not-a-function", "must be a function");
  }
  if (!Array.isArray(keys) || keys.length === 0 || keys.length > KEY_LIMIT) {
    found.add(`${path}.keys`, "missing", "give one to four keys of 32 bytes");
    return undefined;
  }
  const bytes = keys.map(bytesOf);
  bytes.forEach((key, at) => {
    if (key?.length !== 32) found.add(`${path}.keys[${at}]`, "not-a-key", "must be 32 bytes, or 32 bytes in base64url");
  });
  const usable = bytes.filter((key) => key !== undefined);
  return createSealer({ keys: usable, lifetimeSeconds, now, randomBytes: options.randomBytes ?? randomBytes });
}

function bytesOf(key: unknown): Uint8Array | undefined {
  if (key instanceof Uint8Array) return key;
  if (typeof key !== "string") return undefined;
  const bytes = Buffer.from(key, "base64url");
  return bytes.toString("base64url") === key ? bytes : undefined;
}
