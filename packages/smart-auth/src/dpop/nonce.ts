import { createHmac, timingSafeEqual } from "node:crypto";

/** How long a nonce is the one given out, in seconds. It counts for one more such time. */
const SLICE_SECONDS = 300;

/**
 * The nonce of this moment. Instances with the same key and clocks that roughly agree give and accept the same ones, and
 * nothing is stored.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9449#section-9
 */
export function nonceAt(key: Uint8Array, now: number): string {
  return nonceOf(key, sliceOf(now)).toString("base64url");
}

/** The nonce of this time slice, of the one before, or, from an instance whose clock is ahead, of the next. */
export function isRecentNonce(nonce: unknown, key: Uint8Array, now: number): boolean {
  if (typeof nonce !== "string") return false;
  const given = Buffer.from(nonce);
  return [0, -1, 1].some((offset) => {
    const known = Buffer.from(nonceOf(key, sliceOf(now) + offset).toString("base64url"));
    return known.length === given.length && timingSafeEqual(known, given);
  });
}

function sliceOf(now: number): number {
  return Math.floor(now / SLICE_SECONDS);
}

function nonceOf(key: Uint8Array, slice: number): Buffer {
  return createHmac("sha256", key).update(`wardline dpop nonce ${slice}`).digest();
}
