/** One element of DER: its tag, its content, and all of it. */
export interface DerElement {
  readonly tag: number;
  readonly content: Buffer;
  readonly whole: Buffer;
}

/** Reads the elements that stand in a row. Throws for what is no DER: indefinite or overlong lengths, high tags, a rest. */
export function readDer(bytes: Buffer): readonly DerElement[] {
  const elements: DerElement[] = [];
  let at = 0;
  while (at < bytes.length) {
    const element = readOne(bytes, at);
    elements.push(element);
    at += element.whole.length;
  }
  return elements;
}

/** The one element that fills these bytes, with this tag. */
export function readOnly(bytes: Buffer, tag: number): DerElement {
  const [element, ...others] = readDer(bytes);
  if (element?.tag !== tag || others.length > 0) throw new Error("not the DER element that was expected");
  return element;
}

/** X.690 section 10.1 */
function readOne(bytes: Buffer, start: number): DerElement {
  const tag = bytes[start];
  const first = bytes[start + 1];
  if (tag === undefined || first === undefined || (tag & 0x1f) === 0x1f) throw new Error("no DER tag");
  let length = first;
  let head = 2;
  if (first > 0x7f) {
    const size = first & 0x7f;
    if (size === 0 || size > 4 || start + 2 + size > bytes.length) throw new Error("no DER length");
    length = bytes.readUIntBE(start + 2, size);
    head += size;
    if (length < 0x80 || (size > 1 && length < 2 ** (8 * (size - 1)))) throw new Error("a DER length is overlong");
  }
  const end = start + head + length;
  if (end > bytes.length) throw new Error("DER ends too early");
  return { tag, content: bytes.subarray(start + head, end), whole: bytes.subarray(start, end) };
}

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  extensions: 0xa3,
  crlExtensions: 0xa0,
} as const;

/** RFC 5280 section 4.1.2.5, in milliseconds since the epoch: UTC, with seconds, without fractions. */
export function readTime({ tag, content }: DerElement): number {
  const text = content.toString("latin1");
  const digits = tag === TAG.utcTime ? `${Number(text.slice(0, 2)) < 50 ? "20" : "19"}${text}` : text;
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(digits);
  if (match === null || (tag !== TAG.utcTime && tag !== TAG.generalizedTime)) throw new Error("no DER time");
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number);
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

/** PEM or DER to DER; `undefined` for anything else. Bytes may be either: a file that was read is bytes, whatever it holds. */
export function derOf(given: string | Uint8Array, label: string): Buffer | undefined {
  if (typeof given !== "string") {
    const bytes = Buffer.from(given);
    // What DER is read here is a SEQUENCE, which no text of PEM begins with.
    return bytes[0] === TAG.sequence ? bytes : derOf(bytes.toString("utf8"), label);
  }
  const [, body] =
    new RegExp(`^\\s*-----BEGIN ${label}-----([A-Za-z0-9+/=\\s]+)-----END ${label}-----\\s*$`).exec(given) ?? [];
  return body === undefined ? undefined : Buffer.from(body, "base64");
}
