import type { CryptoKey } from "jose";
import { discoverJwksUri } from "./discovery.ts";
import { callIssuer, type FetchSettings } from "./fetch-json.ts";
import type { KeyEvent } from "./key-events.ts";
import { type KeyQuery, type KeySet, parseKeySet } from "./key-set.ts";

/** A set this old is fetched again before it is used, in milliseconds. */
const FRESH_MS = 10 * 60_000;
/** F7: after this long without an answer of the issuer, its keys count no more. */
const STALE_LIMIT_MS = 60 * 60_000;
/** F7: an unknown `kid` asks the issuer at most this often. */
const UNKNOWN_KID_INTERVAL_MS = 30_000;
const FIRST_BACK_OFF_MS = 1000;
const LAST_BACK_OFF_MS = 60_000;

export type KeyLookup =
  | { readonly kind: "found"; readonly key: CryptoKey }
  /** The issuer answered and has no such key. */
  | { readonly kind: "unknown" }
  | { readonly kind: "unavailable"; readonly retryAfterSeconds: number };

export interface KeySource {
  /** With a key comes the generation of the set it is from. */
  find(query: KeyQuery): Promise<Exclude<KeyLookup, { readonly kind: "found" }> | FoundKey>;
  /**
   * Of the set that counts now: another number when other keys are published, none when no set counts any more. What was
   * verified by an earlier one is verified anew. Looks for other keys in the background when it is time.
   */
  generation(): number | undefined;
}

interface FoundKey extends Extract<KeyLookup, { readonly kind: "found" }> {
  readonly generation: number;
}

export interface KeySourceSettings extends FetchSettings {
  readonly issuer: string;
  readonly jwksUri?: string;
  /** Keep keys no longer than the answer's `Cache-Control` allows, not through an outage either. Default false. */
  readonly heedCacheControl?: boolean;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly onKeys: (event: KeyEvent) => void;
}

/**
 * The keys of one issuer, fetched when first needed. One fetch at a time; after a failure the next waits twice as long;
 * known keys are kept through an outage of at most an hour; a rejected fetch is never remembered as an answer (F3, F7).
 */
export function createKeySource(settings: KeySourceSettings): KeySource {
  const { now } = settings;
  let held: HeldKeys | undefined;
  let fetching: Promise<void> | undefined;
  let lastAttemptAt = Number.NEGATIVE_INFINITY;
  let failures = 0;
  let toldExpired = false;
  let toldUnknownAt = Number.NEGATIVE_INFINITY;

  return {
    async find(query) {
      if (!isYoungerThan(FRESH_MS)) await refresh(backOff());
      const known = await findHeld(query);
      if (known !== undefined) return known;
      await refresh(Math.max(UNKNOWN_KID_INTERVAL_MS, backOff()));
      const late = await findHeld(query);
      if (late !== undefined) return late;
      // While the issuer does not answer, nobody can say that it has no such key.
      if (held !== undefined && failures === 0) {
        if (toldUnknownAt !== lastAttemptAt) tell("unknown-kid");
        toldUnknownAt = lastAttemptAt;
        return { kind: "unknown" };
      }
      return {
        kind: "unavailable",
        retryAfterSeconds: Math.max(1, Math.ceil((lastAttemptAt + backOff() - now()) / 1000)),
      };
    },
    generation() {
      if (!isYoungerThan(FRESH_MS)) void refresh(backOff());
      return isYoungerThan(STALE_LIMIT_MS) ? held?.generation : undefined;
    },
  };

  async function findHeld(query: KeyQuery): Promise<FoundKey | undefined> {
    if (held === undefined || !isYoungerThan(STALE_LIMIT_MS)) return undefined;
    const { keys, generation } = held;
    const key = await keys.find(query);
    return key === undefined ? undefined : { kind: "found", key, generation };
  }

  /** A clock that was ahead and is set back makes nothing last until it is there again. */
  function readClock(): number {
    const at = now();
    if (held !== undefined && held.at > at) held = { ...held, at };
    if (lastAttemptAt > at) lastAttemptAt = at;
    return at;
  }

  function isYoungerThan(ms: number): boolean {
    const at = readClock();
    return held !== undefined && at - held.at < Math.min(ms, held.keptMs);
  }

  function backOff(): number {
    return failures === 0 ? 0 : Math.min(LAST_BACK_OFF_MS, FIRST_BACK_OFF_MS * 2 ** (failures - 1));
  }

  /** Joins the fetch under way, or starts one unless the last was less than `interval` ago. Never rejects. */
  function refresh(interval: number): Promise<void> {
    if (fetching !== undefined) return fetching;
    const at = readClock();
    if (at - lastAttemptAt < interval) return Promise.resolve();
    lastAttemptAt = at;
    fetching = load().then(
      (fetched) => {
        const isSame = held?.text === fetched.text;
        held = isSame && held !== undefined ? { ...held, keptMs: fetched.keptMs, at: now() } : renewed(fetched);
        tell("fetched");
        failures = 0;
        toldExpired = false;
        fetching = undefined;
      },
      () => {
        failures++;
        tell("failed");
        if (held !== undefined && !isYoungerThan(STALE_LIMIT_MS) && !toldExpired) {
          toldExpired = true;
          tell("expired");
        }
        fetching = undefined;
      },
    );
    return fetching;
  }

  function renewed(fetched: FetchedKeys): HeldKeys {
    return { ...fetched, at: now(), generation: (held?.generation ?? 0) + 1 };
  }

  function tell(kind: KeyEvent["kind"]): void {
    settings.onKeys({ issuer: settings.issuer, kind, failures, at: now() });
  }

  async function load(): Promise<FetchedKeys> {
    const uri = settings.jwksUri ?? (await discoverJwksUri(settings.issuer, settings));
    const { text, cacheControl } = await callIssuer(uri, { accept: "application/json" }, settings);
    const keptMs = settings.heedCacheControl === true ? keptFor(cacheControl) : Number.POSITIVE_INFINITY;
    return { keys: parseKeySet(JSON.parse(text) as unknown), text, keptMs };
  }
}

interface FetchedKeys {
  readonly keys: KeySet;
  /** As published: the same text is the same set. */
  readonly text: string;
  readonly keptMs: number;
}

interface HeldKeys extends FetchedKeys {
  readonly at: number;
  readonly generation: number;
}

/** A set that must not be kept at all still answers those who asked while it came. */
const SHORTEST_KEPT_MS = 1000;

/** @see https://www.rfc-editor.org/rfc/rfc9111#section-5.2.2 */
function keptFor(cacheControl: string): number {
  if (/(?:^|[\s,])no-(?:store|cache)(?:$|[\s,])/i.test(cacheControl)) return SHORTEST_KEPT_MS;
  const [, seconds] = /(?:^|[\s,])max-age=(\d{1,9})(?:$|[\s,])/i.exec(cacheControl) ?? [];
  return seconds === undefined ? Number.POSITIVE_INFINITY : Math.max(SHORTEST_KEPT_MS, Number(seconds) * 1000);
}
