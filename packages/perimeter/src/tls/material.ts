import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createSecureContext, type SecureContext, type SecureContextOptions } from "node:tls";
import { ConfigurationError, join } from "@wardline/policy-types";

/** PEM, or DER for OCSP answers: as text or bytes, or in a file that is read again at each reload. */
export type TlsSource = { readonly file: string } | { readonly value: string | Buffer };

/** Who we are on a connection, and whose certificates count. */
export interface TlsIdentity {
  /** Certificate and its intermediates, PEM. */
  readonly cert: TlsSource;
  readonly key: TlsSource;
  /** Of the key's file. */
  readonly passphrase?: string;
  /** The only certificate authorities whose clients are known here. Required with client certificates. */
  readonly clientCa?: readonly TlsSource[];
  /** A revocation list for every authority of the clients' chains; an expired one admits nobody. */
  readonly crl?: readonly TlsSource[];
  /** An OCSP answer, DER, sent to clients that ask for one. */
  readonly ocsp?: TlsSource;
}

export interface LoadedIdentity {
  readonly options: SecureContextOptions;
  readonly context: SecureContext;
  /** Our own certificate, DER. */
  readonly leaf: Buffer;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  readonly ocsp: Buffer | undefined;
}

/** @throws {ConfigurationError} naming the option and the file that cannot be read */
export async function readSource(source: TlsSource, path: string): Promise<Buffer> {
  if (!("file" in source)) return Buffer.from(source.value as string);
  try {
    return await readFile(source.file);
  } catch (error) {
    const { code = "unknown" } = error as NodeJS.ErrnoException;
    throw unusable(path, `${source.file} cannot be read (${code}); give the path of a file`);
  }
}

function unusable(path: string, message: string): ConfigurationError {
  return new ConfigurationError("the TLS material", [{ path, code: "unusable", message }]);
}

/** OpenSSL's own words name a routine; these name the option. Said once the pair is known not to do. */
function faultOf(chain: Buffer, key: Buffer, passphrase: string | undefined): ConfigurationError | undefined {
  let leaf: X509Certificate;
  let own: KeyObject;
  try {
    leaf = new X509Certificate(chain);
  } catch {
    return unusable("cert", "holds no certificate in PEM; are `cert` and `key` exchanged?");
  }
  try {
    own = createPrivateKey({ key, ...(passphrase === undefined ? {} : { passphrase }) });
  } catch {
    return unusable("key", "holds no private key in PEM, or one that its `passphrase` does not open");
  }
  return leaf.checkPrivateKey(own) ? undefined : unusable("key", "is not the key of the certificate in `cert`");
}

/** Reads everything and has OpenSSL try it, so that a key that does not fit is found before it is used. */
export async function loadIdentity(identity: TlsIdentity, profile: SecureContextOptions): Promise<LoadedIdentity> {
  const { cert, key, passphrase, clientCa, crl, ocsp } = identity;
  const chain = await readSource(cert, "cert");
  const ownKey = await readSource(key, "key");
  const all = (sources: readonly TlsSource[], path: string) =>
    Promise.all(sources.map((source, index) => readSource(source, join(path, index))));
  const options: SecureContextOptions = {
    ...profile,
    cert: chain,
    key: ownKey,
    ...(passphrase === undefined ? {} : { passphrase }),
    ...(clientCa === undefined ? {} : { ca: await all(clientCa, "clientCa") }),
    ...(crl === undefined ? {} : { crl: await all(crl, "crl") }),
  };
  const context = contextOf(options, () => faultOf(chain, ownKey, passphrase));
  const leaf = new X509Certificate(chain);
  return {
    options,
    context,
    leaf: leaf.raw,
    expiresAt: Date.parse(leaf.validTo),
    ocsp: ocsp && (await readSource(ocsp, "ocsp")),
  };
}

function contextOf(options: SecureContextOptions, fault: () => Error | undefined): SecureContext {
  try {
    return createSecureContext(options);
  } catch (error) {
    throw fault() ?? error;
  }
}

/** Whether two loads hold the same bytes. */
export function sameMaterial(a: LoadedIdentity, b: LoadedIdentity): boolean {
  return fingerprint(a) === fingerprint(b);
}

function fingerprint({ options: { cert, key, ca, crl }, ocsp }: LoadedIdentity): string {
  return [cert, key, ca, crl, ocsp].map((part) => [part ?? ""].flat().map(String).join("\n")).join("\0");
}
