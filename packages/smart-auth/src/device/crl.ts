import { verify, type X509Certificate } from "node:crypto";
import { type DerElement, derOf, readDer, readOnly, readTime, TAG } from "./der.ts";

/** A certificate revocation list whose signature holds. */
export interface Crl {
  /** Serial numbers as Node prints them: upper-case hexadecimal without leading zeros. */
  readonly revoked: ReadonlySet<string>;
  /** Milliseconds since the epoch: from then on it says nothing any more. */
  readonly nextUpdate: number;
  readonly thisUpdate: number;
}

/** Signature algorithms by OID. Absent: none is verified. */
const DIGESTS: ReadonlyMap<string, string | null> = new Map([
  ["2a8648ce3d040302", "sha256"],
  ["2a8648ce3d040303", "sha384"],
  ["2a8648ce3d040304", "sha512"],
  ["2a864886f70d01010b", "sha256"],
  ["2a864886f70d01010c", "sha384"],
  ["2a864886f70d01010d", "sha512"],
  ["2b6570", null],
]);

/**
 * Reads a CRL that this CA itself has signed. Throws when it has not, when the list has no `nextUpdate`, and when a critical
 * extension might change what it means (a delta, other issuers' certificates).
 *
 * Does NOT compare it with the clock.
 *
 * @see https://www.rfc-editor.org/rfc/rfc5280#section-5.1
 */
export function readCrl(given: string | Uint8Array, ca: X509Certificate): Crl {
  const der = derOf(given, "X509 CRL");
  if (der === undefined) throw new Error("not a CRL");
  const [body, algorithm, signature, ...rest] = readDer(readOnly(der, TAG.sequence).content);
  if (body === undefined || algorithm === undefined || signature?.tag !== TAG.bitString || rest.length > 0) {
    throw new Error("not a CRL");
  }
  checkSignature(body, algorithm, signature, ca);
  const parts = [...readDer(body.content)];
  // Version and the algorithm again; then the issuer.
  if (parts[0]?.tag === TAG.integer) parts.shift();
  const [inner, issuer, thisUpdate, nextUpdate, ...lists] = parts;
  if (inner === undefined || !inner.whole.equals(algorithm.whole)) throw new Error("the CRL names two algorithms");
  if (issuer === undefined || !issuer.whole.equals(subjectOf(ca))) throw new Error("the CRL is another issuer's");
  if (thisUpdate === undefined || nextUpdate === undefined) throw new Error("the CRL has no times");
  const extensions = lists.find(({ tag }) => tag === TAG.crlExtensions);
  if (extensions !== undefined) checkExtensions(readOnly(extensions.content, TAG.sequence));
  const entries = lists.find(({ tag }) => tag === TAG.sequence);
  return Object.freeze({
    thisUpdate: readTime(thisUpdate),
    nextUpdate: readTime(nextUpdate),
    revoked: new Set(entries === undefined ? [] : readDer(entries.content).map(serialOf)),
  });
}

function checkSignature(body: DerElement, algorithm: DerElement, signature: DerElement, ca: X509Certificate): void {
  const [oid] = readDer(algorithm.content);
  const digest = DIGESTS.get(oid?.content.toString("hex") ?? "");
  // A bit string begins with the number of unused bits.
  const bytes = signature.content.subarray(1);
  if (digest === undefined || signature.content[0] !== 0 || !verify(digest, body.whole, ca.publicKey, bytes)) {
    throw new Error("the CRL's signature is wrong");
  }
}

function checkExtensions(list: DerElement): void {
  for (const extension of readDer(list.content)) {
    const [, critical] = readDer(extension.content);
    if (critical?.tag === TAG.boolean && critical.content[0] !== 0) throw new Error("the CRL is of a special kind");
  }
}

function serialOf(entry: DerElement): string {
  const [serial, , extensions] = readDer(entry.content);
  if (serial?.tag !== TAG.integer) throw new Error("a CRL entry has no serial number");
  if (extensions !== undefined) checkExtensions(extensions);
  return serial.content
    .toString("hex")
    .toUpperCase()
    .replace(/^0+(?=.)/, "");
}

/** The CA's own name, as it stands in its certificate. */
function subjectOf(ca: X509Certificate): Buffer {
  const [body] = readDer(readOnly(ca.raw, TAG.sequence).content);
  const parts = readDer(body?.content ?? Buffer.alloc(0)).filter(({ tag }) => tag !== 0xa0);
  // Serial number, algorithm, issuer, validity, subject.
  return parts[4]?.whole ?? Buffer.alloc(0);
}
