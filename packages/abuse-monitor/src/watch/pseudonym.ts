/** What a pseudonym can stand for. `claimed`: a name somebody tried to log in with, which proves nothing. */
export type CallerKind = "address" | "client" | "subject" | "claimed";

/** Turns names into keyed hashes. The same key gives the same hashes on every instance. */
export interface Pseudonyms {
  /** 64 bits in hexadecimal. */
  name(kind: CallerKind, issuer: string, value: string): string;
  /** 32 bits, signed so that it is kept in a word; for sketches. */
  number(kind: "patient" | "resource" | "asked", value: string): number;
}

/**
 * Keyed hashes by SipHash-2-4: a pseudo-random function that is quick enough to run for every patient of every record.
 * Whoever holds the key can find out who is meant by trying.
 *
 * Does NOT anonymise, and does NOT authenticate: it names, and two names meet with probability 2^-64.
 *
 * @param key 16 bytes
 * @see https://cr.yp.to/siphash/siphash-20120918.pdf
 */
export function createPseudonyms(key: Uint8Array): Pseudonyms {
  const hash = createSipHash(key);
  const encoder = new TextEncoder();
  let scratch = new Uint8Array(256);
  let length = 0;

  /** Clients are few and come again and again. */
  const clients = new Map<string, { readonly issuer: string; readonly name: string }>();

  return {
    name(kind, issuer, value) {
      if (kind !== "client") return nameOf(kind, issuer, value);
      const known = clients.get(value);
      if (known?.issuer === issuer) return known.name;
      const name = nameOf(kind, issuer, value);
      if (clients.size >= MOST_CLIENTS) clients.clear();
      clients.set(value, { issuer, name });
      return name;
    },
    number(kind, value) {
      length = 0;
      append(kind);
      append(value);
      hash.update(scratch, length);
      return hash.low() | 0;
    },
  };

  function nameOf(kind: string, issuer: string, value: string): string {
    length = 0;
    append(kind);
    append(issuer);
    append(value);
    hash.update(scratch, length);
    return hex(hash.high(), hash.low());
  }

  /** S8: two bytes of length after each part, so that no two lists of parts give the same bytes. */
  function append(part: string): void {
    if (length + part.length * 3 + 2 > scratch.length) grow(part.length * 3 + 2);
    const start = length;
    for (let at = 0; at < part.length; at++) {
      const code = part.charCodeAt(at);
      if (code > 127) {
        length = start + encoder.encodeInto(part, scratch.subarray(start)).written;
        break;
      }
      scratch[length++] = code;
    }
    const size = length - start;
    scratch[length++] = size & 0xff;
    scratch[length++] = (size >> 8) & 0xff;
  }

  function grow(more: number): void {
    const larger = new Uint8Array(length + more);
    larger.set(scratch.subarray(0, length));
    scratch = larger;
  }
}

const MOST_CLIENTS = 1000;

/** 16 digits. One call with all of them is several times quicker than a number's own `toString(16)`. */
function hex(high: number, low: number): string {
  const digit = (word: number, shift: number) => DIGITS.charCodeAt((word >>> shift) & 15);
  return String.fromCharCode(
    digit(high, 28),
    digit(high, 24),
    digit(high, 20),
    digit(high, 16),
    digit(high, 12),
    digit(high, 8),
    digit(high, 4),
    digit(high, 0),
    digit(low, 28),
    digit(low, 24),
    digit(low, 20),
    digit(low, 16),
    digit(low, 12),
    digit(low, 8),
    digit(low, 4),
    digit(low, 0),
  );
}

const DIGITS = "0123456789abcdef";

export interface SipHash {
  update(bytes: Uint8Array, length?: number): void;
  /** Of the last update, unsigned. */
  high(): number;
  low(): number;
}

/** 64-bit words as pairs of 32-bit halves, because BigInt is a hundred times slower. */
export function createSipHash(key: Uint8Array): SipHash {
  if (key.length !== 16) throw new RangeError("the key of SipHash has 16 bytes");
  const view = new DataView(key.buffer, key.byteOffset, key.byteLength);
  const [k0l, k0h, k1l, k1h] = [0, 4, 8, 12].map((at) => view.getInt32(at, true)) as [number, number, number, number];
  let high = 0;
  let low = 0;
  return { update, high: () => high, low: () => low };

  function update(bytes: Uint8Array, length = bytes.length): void {
    let v0h = 0x736f6d65 ^ k0h;
    let v0l = 0x70736575 ^ k0l;
    let v1h = 0x646f7261 ^ k1h;
    let v1l = 0x6e646f6d ^ k1l;
    let v2h = 0x6c796765 ^ k0h;
    let v2l = 0x6e657261 ^ k0l;
    let v3h = 0x74656462 ^ k1h;
    let v3l = 0x79746573 ^ k1l;
    // The last word holds what is left over and the length; one more turn finishes.
    const words = Math.floor(length / 8) + 1;
    for (let word = 0; word <= words; word++) {
      const finishing = word === words;
      let mh = 0;
      let ml = 0;
      if (finishing) v2l ^= 0xff;
      else {
        const at = word * 8;
        ml = wordAt(bytes, at, length);
        mh = wordAt(bytes, at + 4, length);
        if (word === words - 1) mh |= (length & 0xff) << 24;
        v3h ^= mh;
        v3l ^= ml;
      }
      for (let round = finishing ? 4 : 2; round > 0; round--) {
        let sum = (v0l + v1l) | 0;
        v0h = (v0h + v1h + (sum >>> 0 < v0l >>> 0 ? 1 : 0)) | 0;
        v0l = sum;
        let turned = (v1h << 13) | (v1l >>> 19);
        v1l = ((v1l << 13) | (v1h >>> 19)) ^ v0l;
        v1h = turned ^ v0h;
        turned = v0h;
        v0h = v0l;
        v0l = turned;

        sum = (v2l + v3l) | 0;
        v2h = (v2h + v3h + (sum >>> 0 < v2l >>> 0 ? 1 : 0)) | 0;
        v2l = sum;
        turned = (v3h << 16) | (v3l >>> 16);
        v3l = ((v3l << 16) | (v3h >>> 16)) ^ v2l;
        v3h = turned ^ v2h;

        sum = (v0l + v3l) | 0;
        v0h = (v0h + v3h + (sum >>> 0 < v0l >>> 0 ? 1 : 0)) | 0;
        v0l = sum;
        turned = (v3h << 21) | (v3l >>> 11);
        v3l = ((v3l << 21) | (v3h >>> 11)) ^ v0l;
        v3h = turned ^ v0h;

        sum = (v2l + v1l) | 0;
        v2h = (v2h + v1h + (sum >>> 0 < v2l >>> 0 ? 1 : 0)) | 0;
        v2l = sum;
        turned = (v1h << 17) | (v1l >>> 15);
        v1l = ((v1l << 17) | (v1h >>> 15)) ^ v2l;
        v1h = turned ^ v2h;
        turned = v2h;
        v2h = v2l;
        v2l = turned;
      }
      v0h ^= mh;
      v0l ^= ml;
    }
    high = (v0h ^ v1h ^ v2h ^ v3h) >>> 0;
    low = (v0l ^ v1l ^ v2l ^ v3l) >>> 0;
  }
}

/** Four bytes, little-endian; zero beyond the end. */
function wordAt(bytes: Uint8Array, at: number, length: number): number {
  if (at + 4 <= length) {
    return (
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)
    );
  }
  let word = 0;
  for (let n = at; n < length; n++) word |= (bytes[n] as number) << ((n - at) * 8);
  return word;
}
