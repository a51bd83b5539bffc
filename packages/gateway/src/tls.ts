import {
  assertFips,
  type TlsServerOptions,
  type TlsServerPolicy,
  type TlsSource,
  tlsServerOptions,
} from "@wardline/perimeter";
import type { Health } from "./health.ts";
import type { Door, DoorTls } from "./policy/listeners.ts";

export interface TlsFacts {
  readonly readSecret: (reference: string) => Promise<string>;
  readonly health: Pick<Health, "certificatesOf" | "certificatesChanged">;
}

/**
 * TLS of a door, or `undefined` for one behind a terminator.
 *
 * @throws {ConfigurationError} when a certificate and its key do not fit
 * @throws {DependencyError} when a secret or a FIPS provider cannot be had
 */
export async function tlsOf(
  { name, tls }: Door,
  { readSecret, health }: TlsFacts,
): Promise<TlsServerOptions | undefined> {
  if (tls === undefined) return undefined;
  const { minVersion, fips, sessionTickets, reloadSeconds } = tls;
  if (fips === true) assertFips();
  const names = await Promise.all(
    Object.entries(tls.names).map(async ([host, one]) => [host, await identityOf(one, readSecret)] as const),
  );
  const options = await tlsServerOptions({
    ...(await identityOf(tls, readSecret)),
    names: Object.fromEntries(names),
    ...(sessionTickets === undefined ? {} : { sessionTickets }),
    ...(reloadSeconds === undefined ? {} : { reloadSeconds }),
    ...(minVersion === undefined ? {} : { minVersion }),
    ...(fips === undefined ? {} : { fips }),
    onReload: (report) =>
      health.certificatesChanged(name, report.kind === "changed", report.kind === "failed" ? report.error : undefined),
  });
  health.certificatesOf(name, () => options.expiresAt());
  return options;
}

async function identityOf(
  { cert, key, passphrase, clientCa, crl, ocsp, clientCertificates }: DoorTls["names"][string],
  readSecret: TlsFacts["readSecret"],
): Promise<NonNullable<TlsServerPolicy["names"]>[string]> {
  return {
    cert: { file: cert },
    key: key.startsWith("file:") ? { file: key.slice("file:".length) } : { value: await readSecret(key) },
    clientCertificates,
    ...(passphrase === undefined ? {} : { passphrase: await readSecret(passphrase) }),
    ...(clientCa === undefined ? {} : { clientCa: clientCa.map(fileOf) }),
    ...(crl === undefined ? {} : { crl: crl.map(fileOf) }),
    ...(ocsp === undefined ? {} : { ocsp: { file: ocsp } }),
  };
}

function fileOf(file: string): TlsSource {
  return { file };
}
