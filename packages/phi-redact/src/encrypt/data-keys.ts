import { createSecretKey, type KeyObject, randomBytes } from "node:crypto";
import type { KeyContext, KeyProvider } from "@wardline/policy-types";
import { within } from "./deadline.ts";
import { nonceSequence, RANDOM_BYTES } from "./nonces.ts";
import { keysUnavailable } from "./problems.ts";

/** A data key in use. `nextNonce` gives `undefined` when it has sealed as much as it may. */
export interface ReadyKey {
  readonly keyId: string;
  readonly wrapped: Uint8Array;
  readonly key: KeyObject;
  nextNonce(): Uint8Array | undefined;
}

export interface DataKeyOptions {
  readonly keys: KeyProvider;
  readonly context: KeyContext;
  readonly timeoutMs: number;
  readonly renewSeconds: number;
  readonly maxSeconds: number;
  readonly maxFields: number;
  readonly retrySeconds: number;
  readonly now: () => number;
  readonly randomBytes: (size: number) => Uint8Array;
  readonly onKeyTrouble: (error: unknown) => void;
}

export interface DataKeys {
  /** Resolves at once while a key is usable, fetching its successor in the background when it is due. */
  prepare(): Promise<void>;
  /** The key to seal with, or `undefined`. */
  current(): ReadyKey | undefined;
}

/**
 * Keeps one data key ready. One fetch at a time (F7); a failure is remembered for `retrySeconds` and costs callers
 * nothing meanwhile (F3, F5); a key past `maxSeconds` is not used, whatever the provider does (F8).
 */
export function dataKeys(options: DataKeyOptions): DataKeys {
  const { keys, context, now } = options;
  let held: (ReadyKey & { readonly since: number; used(): number }) | undefined;
  let fetching: Promise<void> | undefined;
  let failed: { readonly until: number; readonly error: unknown } | undefined;

  const isUsable = (): boolean =>
    held !== undefined && now() - held.since < options.maxSeconds * 1000 && held.used() < options.maxFields;
  const isDue = (): boolean =>
    held === undefined || now() - held.since >= options.renewSeconds * 1000 || held.used() >= options.maxFields / 2;

  async function fetchKey(): Promise<void> {
    try {
      const dataKey = await within(options, () => keys.generateDataKey(context));
      if (dataKey.key.length !== KEY_BYTES) throw new TypeError("a data key has 32 bytes");
      held = ready(dataKey, options);
      failed = undefined;
    } catch (error) {
      failed = { until: now() + options.retrySeconds * 1000, error: keysUnavailable(error) };
      report(options, failed.error);
      throw failed.error;
    } finally {
      fetching = undefined;
    }
  }

  return {
    async prepare() {
      const usable = isUsable();
      if (usable && !isDue()) return;
      if (failed !== undefined && now() < failed.until) {
        if (usable) return;
        throw failed.error;
      }
      fetching ??= fetchKey();
      // A background renewal that fails was reported; the key in hand still serves.
      if (usable) fetching.catch(() => undefined);
      else await fetching;
    },
    current() {
      return isUsable() ? held : undefined;
    },
  };
}

function ready(
  { keyId, key, wrapped }: { readonly keyId: string; readonly key: Uint8Array; readonly wrapped: Uint8Array },
  options: DataKeyOptions,
): ReadyKey & { readonly since: number; used(): number } {
  const next = nonceSequence(options.randomBytes(RANDOM_BYTES));
  let used = 0;
  return {
    keyId,
    wrapped: Buffer.from(wrapped),
    key: createSecretKey(key),
    since: options.now(),
    used: () => used,
    nextNonce() {
      if (used >= options.maxFields) return undefined;
      used += 1;
      return next();
    },
  };
}

/** F12: a listener that throws must not decide whether a key is had. */
function report({ onKeyTrouble }: DataKeyOptions, error: unknown): void {
  try {
    onKeyTrouble(error);
  } catch {
    // It was told.
  }
}

export const systemRandomBytes = (size: number): Uint8Array => randomBytes(size);
const KEY_BYTES = 32;
/** SP 800-38D allows 2^32 under one key; half of it is room enough for a mistake in counting. */
export const MAX_FIELDS: number = 2 ** 31;
