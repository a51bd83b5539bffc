import { createCipheriv, createDecipheriv, hkdfSync } from "node:crypto";

/** What a page link stands for. */
export interface PageState {
  /** The search as the client asked it: path and encoded query below the base. */
  readonly path: string;
  readonly query: string;
  /** Which of the searches that together answer it. */
  readonly part: number;
  /** Path and query of the server's own link, below its base. Absent: the first page of the part. */
  readonly next?: string;
}

export interface Sealer {
  /** `undefined` when the link would be too long to be sent. */
  seal(state: PageState, bindings: readonly string[]): string | undefined;
  /** `undefined` for anything but what was sealed with one of the keys, for the same bindings, and is still good. */
  open(text: string, bindings: readonly string[]): PageState | undefined;
}

export interface SealerSettings {
  /** 32 bytes each. The first seals, all of them open. */
  readonly keys: readonly Uint8Array[];
  readonly lifetimeSeconds: number;
  readonly now: () => number;
  readonly randomBytes: (size: number) => Uint8Array;
}

const VERSION = 1;
const NONCE = 12;
const TAG = 16;
/** Proxies and browsers take about 8 KB of URL. */
const LENGTH_LIMIT = 6000;

/**
 * Seals page links: AES-256-GCM under a key derived for this use alone, the version and the bindings as additional data,
 * the time of expiry inside. Whoever presents a link must bring the same bindings; a copy is worth nothing (A3).
 *
 * Does NOT count uses: a page may be asked for again. Random nonces bear 2^32 links a key, so replace keys long before.
 *
 * @see https://nvlpubs.nist.gov/nistpubs/Legacy/SP/nistspecialpublication800-38d.pdf section 8.3
 */
export function createSealer({ keys, lifetimeSeconds, now, randomBytes }: SealerSettings): Sealer {
  const derived = keys.map((key) => Buffer.from(hkdfSync("sha256", key, "", "wardline page link 1", 32)));
  return {
    seal({ path, query, part, next }, bindings) {
      const [key] = derived;
      if (key === undefined) return undefined;
      const until = Math.floor(now() / 1000) + lifetimeSeconds;
      const nonce = randomBytes(NONCE);
      const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG }).setAAD(dataOf(bindings));
      const plain = JSON.stringify([until, path, query, part, ...(next === undefined ? [] : [next])]);
      const sealed = [
        Buffer.from([VERSION]),
        nonce,
        cipher.update(padded(plain), "utf8"),
        cipher.final(),
        cipher.getAuthTag(),
      ];
      const text = Buffer.concat(sealed).toString("base64url");
      return text.length > LENGTH_LIMIT ? undefined : text;
    },
    open(text, bindings) {
      if (text.length > LENGTH_LIMIT || !/^[A-Za-z0-9_-]+$/.test(text)) return undefined;
      const bytes = Buffer.from(text, "base64url");
      // S1: one spelling, without stray bits at the end.
      if (bytes.toString("base64url") !== text || bytes[0] !== VERSION) return undefined;
      if (bytes.length <= 1 + NONCE + TAG) return undefined;
      for (const key of derived) {
        const plain = decrypt(bytes, key, bindings);
        if (plain !== undefined) return readState(plain, now() / 1000);
      }
      return undefined;
    },
  };
}

/** A9: the length of a link tells of no server's offset or token. */
function padded(plain: string): string {
  return plain.padEnd(Math.ceil(plain.length / 64) * 64, " ");
}

function dataOf(bindings: readonly string[]): Buffer {
  return Buffer.from(JSON.stringify([VERSION, ...bindings]));
}

function decrypt(bytes: Buffer, key: Buffer, bindings: readonly string[]): string | undefined {
  try {
    const nonce = bytes.subarray(1, 1 + NONCE);
    const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG })
      .setAAD(dataOf(bindings))
      .setAuthTag(bytes.subarray(-TAG));
    const plain = [decipher.update(bytes.subarray(1 + NONCE, -TAG)), decipher.final()];
    return Buffer.concat(plain).toString("utf8");
  } catch {
    return undefined;
  }
}

/** Authentic, so what `seal` wrote; only its time may have run out. */
function readState(plain: string, now: number): PageState | undefined {
  const [until, path, query, part, next] = JSON.parse(plain) as [number, string, string, number, string?];
  if (now >= until) return undefined;
  return { path, query, part, ...(next === undefined ? {} : { next }) };
}
