import { hash } from "node:crypto";

/**
 * Builds HMAC-SHA-256 under one key, in base64url. For short texts by the thousand: two digests of one call each, from
 * blocks that are made once, take half as long as an `Hmac` object.
 *
 * @see https://www.rfc-editor.org/rfc/rfc2104#section-2
 */
export function createHmacSha256(key: Uint8Array): (text: string) => string {
  const block = Buffer.alloc(BLOCK_BYTES);
  block.set(key.length > BLOCK_BYTES ? hash("sha256", key, "buffer") : key);
  const inner = Buffer.alloc(BLOCK_BYTES + LONGEST_TEXT);
  const outer = Buffer.alloc(BLOCK_BYTES + DIGEST_BYTES);
  for (const [at, byte] of block.entries()) {
    inner[at] = byte ^ 0x36;
    outer[at] = byte ^ 0x5c;
  }

  return function hmacSha256(text) {
    outer.write(hash("sha256", innerMessage(text), "binary"), BLOCK_BYTES, "binary");
    return hash("sha256", outer, "base64url");
  };

  function innerMessage(text: string): Uint8Array {
    if (Buffer.byteLength(text) > LONGEST_TEXT) {
      return Buffer.concat([inner.subarray(0, BLOCK_BYTES), Buffer.from(text)]);
    }
    return inner.subarray(0, BLOCK_BYTES + inner.write(text, BLOCK_BYTES, "utf8"));
  }
}

const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;
const LONGEST_TEXT = 512;
