import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createSecureContext, type SecureContext, type SecureContextOptions } from "node:tls";

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
  readonly ocsp: Buffer | undefined;
}

export async function readSource(source: TlsSource): Promise<Buffer> {
  if ("file" in source) return readFile(source.file);
  return Buffer.from(source.value as string);
}

/** Reads everything and has OpenSSL try it, so that a key that does not fit is found before it is used. */
export async function loadIdentity(identity: TlsIdentity, profile: SecureContextOptions): Promise<LoadedIdentity> {
  const { cert, key, passphrase, clientCa, crl, ocsp } = identity;
  const chain = await readSource(cert);
  const options: SecureContextOptions = {
    ...profile,
    cert: chain,
    key: await readSource(key),
    ...(passphrase === undefined ? {} : { passphrase }),
    ...(clientCa === undefined ? {} : { ca: await Promise.all(clientCa.map(readSource)) }),
    ...(crl === undefined ? {} : { crl: await Promise.all(crl.map(readSource)) }),
  };
  return {
    options,
    context: createSecureContext(options),
    leaf: new X509Certificate(chain).raw,
    ocsp: ocsp && (await readSource(ocsp)),
  };
}

/** Whether two loads hold the same bytes. */
export function sameMaterial(a: LoadedIdentity, b: LoadedIdentity): boolean {
  return fingerprint(a) === fingerprint(b);
}

function fingerprint({ options: { cert, key, ca, crl }, ocsp }: LoadedIdentity): string {
  return [cert, key, ca, crl, ocsp].map((part) => [part ?? ""].flat().map(String).join("\n")).join("\0");
}
