import { parseToken } from "./token.ts";

interface Curve {
  /** Of the base point: FIPS 186-5, SP 800-186 section 3.2.1. */
  readonly order: bigint;
  /** Of each half of a signature. */
  readonly bytes: number;
}

const CURVES: ReadonlyMap<string, Curve> = new Map([
  ["ES256", { order: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n, bytes: 32 }],
  [
    "ES384",
    {
      order: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
      bytes: 48,
    },
  ],
  [
    "ES512",
    {
      order:
        0x01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
      bytes: 66,
    },
  ],
]);

/**
 * The other text of a token that is signed by ECDSA: whoever holds (r, s) can write (r, n - s), which is as good.
 * `undefined` for any other token.
 *
 * Does NOT verify either of them.
 *
 * @see https://www.rfc-editor.org/rfc/rfc7518#section-3.4
 */
export function signatureTwin(text: string): string | undefined {
  const token = parseToken(text);
  const curve = "fault" in token ? undefined : CURVES.get(token.header.alg);
  if (curve === undefined) return undefined;
  const { order, bytes } = curve;
  const end = text.lastIndexOf(".") + 1;
  const signature = Buffer.from(text.slice(end), "base64url");
  if (signature.length !== 2 * bytes) return undefined;
  const s = BigInt(`0x${signature.toString("hex", bytes)}`);
  if (s > order) return undefined;
  const other = Buffer.from((order - s).toString(16).padStart(2 * bytes, "0"), "hex");
  return text.slice(0, end) + Buffer.concat([signature.subarray(0, bytes), other]).toString("base64url");
}
