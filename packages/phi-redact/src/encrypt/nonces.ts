/**
 * Nonces for one data key: 64 random bits chosen once, and a 32-bit counter that never turns over. The counter keeps
 * them apart under one key; the random part does when a provider hands out a key twice, or a machine is cloned.
 *
 * @see https://doi.org/10.6028/NIST.SP.800-38D section 8.2.1
 */
export function nonceSequence(random: Uint8Array, first = 0): () => Uint8Array | undefined {
  if (random.length !== RANDOM_BYTES) throw new TypeError("a nonce sequence needs 8 random bytes");
  let count = first;
  return function nextNonce() {
    if (count > LAST) return undefined;
    const nonce = Buffer.alloc(NONCE_BYTES);
    nonce.set(random);
    nonce.writeUInt32BE(count, RANDOM_BYTES);
    count += 1;
    return nonce;
  };
}

export const NONCE_BYTES = 12;
export const RANDOM_BYTES = 8;
const LAST = 0xffff_ffff;
