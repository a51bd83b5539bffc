import "reflect-metadata";
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

x509.cryptoProvider.set(webcrypto as Crypto);

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const DAY_MS = 86_400_000;

export interface CertificateWish {
  /** Common name of the subject. */
  readonly name: string;
  readonly dns?: readonly string[];
  readonly ip?: readonly string[];
  readonly uri?: readonly string[];
  readonly use?: "server" | "client";
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

/** A certificate and its key, both PEM. */
export interface IssuedCertificate {
  readonly cert: string;
  readonly key: string;
  /** Serial number, hexadecimal. */
  readonly serial: string;
}

export interface TestCa {
  /** The CA's own certificate, PEM. */
  readonly cert: string;
  issue(wish: CertificateWish): Promise<IssuedCertificate>;
  /** An intermediate CA signed by this one. */
  intermediate(name: string): Promise<TestCa>;
  /** A CRL that revokes these serial numbers, PEM as OpenSSL reads it. */
  crl(
    serials: readonly string[],
    validity?: { readonly thisUpdate?: Date; readonly nextUpdate?: Date },
  ): Promise<string>;
}

/** A certificate authority of this test's own. ECDSA P-256, valid for a year. */
export async function testCa(name = "Wardline Test CA"): Promise<TestCa> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const own = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: `CN=${name}`,
    ...validity(undefined, undefined),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: caExtensions(),
  });
  return authority(own, keys);
}

function authority(own: x509.X509Certificate, keys: CryptoKeyPair): TestCa {
  return {
    cert: `${own.toString("pem")}\n`,
    async issue({ name, dns = [], ip = [], uri = [], use = "server", notBefore, notAfter }) {
      const pair = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
      const names: x509.JsonGeneralNames = [
        ...dns.map((value) => ({ type: "dns" as const, value })),
        ...ip.map((value) => ({ type: "ip" as const, value })),
        ...uri.map((value) => ({ type: "url" as const, value })),
      ];
      const issued = await x509.X509CertificateGenerator.create({
        serialNumber: serial(),
        subject: `CN=${name}`,
        issuer: own.subject,
        ...validity(notBefore, notAfter),
        signingAlgorithm: ALGORITHM,
        publicKey: pair.publicKey,
        signingKey: keys.privateKey,
        extensions: [
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
          new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage[use === "server" ? "serverAuth" : "clientAuth"]]),
          ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)]),
        ],
      });
      const pkcs8 = await webcrypto.subtle.exportKey("pkcs8", pair.privateKey);
      return {
        cert: `${issued.toString("pem")}\n`,
        key: `${x509.PemConverter.encode(pkcs8, "PRIVATE KEY")}\n`,
        serial: issued.serialNumber,
      };
    },
    async intermediate(name) {
      const pair = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
      const below = await x509.X509CertificateGenerator.create({
        serialNumber: serial(),
        subject: `CN=${name}`,
        issuer: own.subject,
        ...validity(undefined, undefined),
        signingAlgorithm: ALGORITHM,
        publicKey: pair.publicKey,
        signingKey: keys.privateKey,
        extensions: caExtensions(),
      });
      return authority(below, pair);
    },
    async crl(
      serials,
      { thisUpdate = new Date(Date.now() - DAY_MS), nextUpdate = new Date(Date.now() + DAY_MS) } = {},
    ) {
      const list = await x509.X509CrlGenerator.create({
        issuer: own.subject,
        thisUpdate,
        nextUpdate,
        signingAlgorithm: ALGORITHM,
        signingKey: keys.privateKey,
        entries: serials.map((serialNumber) => ({ serialNumber, revocationDate: thisUpdate })),
      });
      return `${x509.PemConverter.encode(list.rawData, "X509 CRL")}\n`;
    },
  };
}

function caExtensions(): x509.Extension[] {
  return [
    new x509.BasicConstraintsExtension(true, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
  ];
}

function validity(notBefore: Date | undefined, notAfter: Date | undefined): { notBefore: Date; notAfter: Date } {
  return {
    notBefore: notBefore ?? new Date(Date.now() - DAY_MS),
    notAfter: notAfter ?? new Date(Date.now() + 365 * DAY_MS),
  };
}

/** Positive and without leading zeros, so that its text is the same on every way. */
function serial(): string {
  const bytes = webcrypto.getRandomValues(new Uint8Array(16));
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return Buffer.from(bytes).toString("hex");
}
