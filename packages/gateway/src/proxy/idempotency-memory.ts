import type { IdempotencyAsked, IdempotencyClaim, IdempotencyStore, KeptAnswer } from "./idempotency.ts";

/** Of this process; it can always say. */
export interface LocalIdempotencyStore extends IdempotencyStore {
  claim(key: string, asked: Omit<IdempotencyAsked, "seal">): IdempotencyClaim;
}

export interface IdempotencyOptions {
  readonly now: () => number;
  /** Milliseconds an answer is kept. */
  readonly keepMs: number;
  readonly maxEntries: number;
  readonly maxBytes: number;
}

interface Entry {
  readonly owner: string;
  readonly fingerprint: string;
  readonly expiresAt: number;
  answer?: KeptAnswer;
}

/** What is kept of one caller's, oldest first. */
interface Share {
  readonly keys: Set<string>;
  bytes: number;
}

/**
 * Remembers what became of unsafe requests in this process. Where there is no room, whoever holds most gives of its own, oldest
 * first, so that nobody's requests make others' be done twice; one that is in work is not forgotten.
 *
 * @see https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-idempotency-key-header-07
 */
export function createIdempotencyStore({
  now,
  keepMs,
  maxEntries,
  maxBytes,
}: IdempotencyOptions): LocalIdempotencyStore {
  const entries = new Map<string, Entry>();
  /** Of answers that are kept, by caller. */
  const shares = new Map<string, Share>();
  let bytes = 0;

  function drop(key: string): void {
    const entry = entries.get(key);
    entries.delete(key);
    if (entry?.answer === undefined) return;
    bytes -= entry.answer.body.length;
    const share = shares.get(entry.owner);
    if (share === undefined) return;
    share.bytes -= entry.answer.body.length;
    share.keys.delete(key);
    if (share.keys.size === 0) shares.delete(entry.owner);
  }

  function dropExpired(): void {
    for (const [key, { expiresAt }] of entries) {
      if (expiresAt > now()) return;
      drop(key);
    }
  }

  /**
   * Whoever holds most gives a tenth, and where others hold as much, they do: the search is worth it once for all of them, up to a
   * hundredth of the room. False: nothing is there to be given.
   */
  function giveWay(sizeOf: (share: Share) => number, room: number): boolean {
    let most = 0;
    for (const share of shares.values()) most = Math.max(most, sizeOf(share));
    if (most === 0) return false;
    let wanted = room / 100;
    for (const share of shares.values()) {
      if (sizeOf(share) < most) continue;
      wanted -= giveTenth(share, sizeOf);
      if (wanted <= 0) break;
    }
    return true;
  }

  /** The oldest; says how much it was. */
  function giveTenth(share: Share, sizeOf: (share: Share) => number): number {
    const before = sizeOf(share);
    for (const key of share.keys) {
      drop(key);
      if (sizeOf(share) <= before * 0.9) break;
    }
    return before - sizeOf(share);
  }

  function makeRoom(): void {
    dropExpired();
    while (entries.size >= maxEntries && giveWay(({ keys }) => keys.size, maxEntries));
    while (bytes > maxBytes && giveWay((share) => share.bytes, maxBytes));
  }

  return {
    claim(key, { owner, fingerprint }) {
      const known = entries.get(key);
      if (known !== undefined && known.expiresAt > now()) {
        if (known.fingerprint !== fingerprint) return { kind: "other-request" };
        return known.answer === undefined ? { kind: "in-work" } : { kind: "repeat", answer: known.answer };
      }
      drop(key);
      makeRoom();
      if (entries.size >= maxEntries) return { kind: "in-work" };
      const entry: Entry = { owner, fingerprint, expiresAt: now() + keepMs };
      entries.set(key, entry);
      return {
        kind: "first",
        keep(answer) {
          if (entries.get(key) !== entry) return;
          entry.answer = answer;
          bytes += answer.body.length;
          const share = shares.get(owner) ?? { keys: new Set(), bytes: 0 };
          shares.set(owner, share);
          share.keys.add(key);
          share.bytes += answer.body.length;
          makeRoom();
        },
        forget() {
          if (entries.get(key) === entry) drop(key);
        },
      };
    },
  };
}
