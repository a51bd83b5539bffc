const MASK = (1n << 64n) - 1n;

/** SipHash-2-4 written from its definition, one 64-bit word at a time. */
export function slowSipHash(key: Uint8Array, bytes: Uint8Array): bigint {
  const word = (source: Uint8Array, at: number) =>
    [...source.subarray(at, at + 8)].reduce((sum, byte, index) => sum | (BigInt(byte) << BigInt(8 * index)), 0n);
  const rotate = (value: bigint, by: bigint) => ((value << by) | (value >> (64n - by))) & MASK;
  const [k0, k1] = [word(key, 0), word(key, 8)];
  let v0 = 0x736f6d6570736575n ^ k0;
  let v1 = 0x646f72616e646f6dn ^ k1;
  let v2 = 0x6c7967656e657261n ^ k0;
  let v3 = 0x7465646279746573n ^ k1;
  const round = () => {
    v0 = (v0 + v1) & MASK;
    v1 = rotate(v1, 13n) ^ v0;
    v0 = rotate(v0, 32n);
    v2 = (v2 + v3) & MASK;
    v3 = rotate(v3, 16n) ^ v2;
    v0 = (v0 + v3) & MASK;
    v3 = rotate(v3, 21n) ^ v0;
    v2 = (v2 + v1) & MASK;
    v1 = rotate(v1, 17n) ^ v2;
    v2 = rotate(v2, 32n);
  };
  const whole = bytes.length - (bytes.length % 8);
  const words = Array.from({ length: whole / 8 }, (_, index) => word(bytes, index * 8));
  const last = word(bytes.subarray(whole), 0) | (BigInt(bytes.length & 0xff) << 56n);
  for (const message of [...words, last]) {
    v3 ^= message;
    round();
    round();
    v0 ^= message;
  }
  v2 ^= 0xffn;
  for (let n = 0; n < 4; n++) round();
  return v0 ^ v1 ^ v2 ^ v3;
}
