import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";

/** A certificate and its key; made anew for each run, so that nothing secret lies in the repository. */
export interface TestCertificate {
  readonly der: Buffer;
  readonly pem: string;
  readonly key: KeyObject;
  readonly keyPem: string;
  /** RFC 8705: what a token bound to it carries. */
  readonly x5tS256: string;
}

const ECDSA_WITH_SHA256 = "06082a8648ce3d040302";
const COMMON_NAME = "0603550403";
const BASIC_CONSTRAINTS = "0603551d13";
const SUBJECT_ALT_NAME = "0603551d11";

export function createAuthority(name: string): TestCertificate {
  return certify({ name, extension: extension(BASIC_CONSTRAINTS, der(0x30, hex("0101ff"))) });
}

/** For a server on 127.0.0.1 or a client; the address does a client no harm. */
export function issue(authority: TestCertificate, authorityName: string, name: string): TestCertificate {
  const address = extension(SUBJECT_ALT_NAME, der(0x30, hex("87047f000001")));
  return certify({ name, extension: address, by: { name: authorityName, key: authority.key } });
}

/** RFC 5280 section 4.1, with P-256 keys. Without `by` it is self-signed. */
function certify(given: {
  readonly name: string;
  readonly extension: Buffer;
  readonly by?: { readonly name: string; readonly key: KeyObject };
}): TestCertificate {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const by = given.by ?? { name: given.name, key: privateKey };
  const algorithm = der(0x30, hex(ECDSA_WITH_SHA256));
  const time = (text: string) => der(0x17, Buffer.from(text));
  const body = der(
    0x30,
    der(0xa0, hex("020102")),
    der(0x02, Buffer.concat([Buffer.of(1), randomBytes(8)])),
    algorithm,
    nameOf(by.name),
    der(0x30, time("200101000000Z"), time("491231235959Z")),
    nameOf(given.name),
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, der(0x30, given.extension)),
  );
  const signature = der(0x03, Buffer.of(0), sign("sha256", body, by.key));
  const bytes = der(0x30, body, algorithm, signature);
  const lines = bytes.toString("base64").replaceAll(/.{64}/g, "$&\n").trimEnd();
  return {
    der: bytes,
    pem: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    key: privateKey,
    keyPem: privateKey.export({ type: "pkcs8", format: "pem" }) as string,
    x5tS256: createHash("sha256").update(bytes).digest("base64url"),
  };
}

function nameOf(name: string): Buffer {
  return der(0x30, der(0x31, der(0x30, hex(COMMON_NAME), der(0x0c, Buffer.from(name)))));
}

function extension(oid: string, value: Buffer): Buffer {
  return der(0x30, hex(oid), hex("0101ff"), der(0x04, value));
}

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const head = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...head), content]);
}

function hex(text: string): Buffer {
  return Buffer.from(text, "hex");
}
