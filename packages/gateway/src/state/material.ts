import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { type TlsClientOptions, tlsClientOptions } from "@wardline/perimeter";
import { fieldCipher, localKeyRing, type PhiRedactOptions } from "@wardline/phi-redact";
import type { IssuerEntry, PolicyDocument, UpstreamTlsPolicy } from "@wardline/policy-types";
import type { ClientKeys, DeviceClass, DpopOptions, PageLinkOptions, SmartIssuer } from "@wardline/smart-auth";
import type { JWK } from "jose";
import { readDocuments } from "./documents.ts";
import { askingOf } from "./introspection.ts";
import { allMissing, isSecretMissing } from "./missing-secrets.ts";
import { type Places, placesOf } from "./places.ts";
import { type RouteProfiles, readOperationDefinitions, readProfiles } from "./profiles.ts";
import { bytes, jwk, type ReadSecret, readEach, readText } from "./read.ts";
import { readSignInClients } from "./sign-in-clients.ts";

/** Everything a policy names by file or by secret, fetched: from here on assembling cannot fail for want of it. */
export interface Material {
  /** By issuer. */
  readonly introspection: ReadonlyMap<string, NonNullable<SmartIssuer["introspection"]>>;
  readonly dpop: DpopOptions;
  readonly pageLinks: PageLinkOptions;
  readonly devices: readonly DeviceClass[];
  readonly redactionKeys: Pick<PhiRedactOptions, "pseudonyms" | "cipher">;
  readonly identityKey: JWK | undefined;
  readonly abuseKey: Uint8Array | undefined;
  /** Where networks are, and the text that says it. */
  readonly places: Places | undefined;
  readonly usageKey: Uint8Array | undefined;
  readonly webhookSecret: string | undefined;
  /** By route. */
  readonly profiles: ReadonlyMap<string, RouteProfiles>;
  /** By route. */
  readonly operationDefinitions: ReadonlyMap<string, readonly object[]>;
  /** OpenAPI documents, by route. */
  readonly documents: ReadonlyMap<string, object>;
  /** Clients of the authorisation server behind this edge that have keys. */
  readonly signInClients: readonly ClientKeys[];
  /** By upstream. */
  readonly upstreamTls: ReadonlyMap<string, TlsClientOptions>;
}

const PAGE_KEY_BYTES = 32;

/**
 * Fetches the secrets and files of a policy.
 *
 * @throws {DependencyError} naming every secret that cannot be had
 * @throws {ConfigurationError} naming every file that is missing and every secret of the wrong form
 */
export async function fetchMaterial(
  policy: PolicyDocument,
  readSecret: ReadSecret,
  before?: Material,
): Promise<Material> {
  try {
    return await fetchAll(policy, readSecret, before);
  } catch (error) {
    throw isSecretMissing(error) ? await allMissing(policy, readSecret, error) : error;
  }
}

async function fetchAll(policy: PolicyDocument, readSecret: ReadSecret, before?: Material): Promise<Material> {
  const { identity, abuse, devices = [] } = policy;
  const watch = abuse === undefined || abuse === false ? {} : abuse;
  const secretBytes = async (reference: string | undefined, path: string): Promise<Uint8Array | undefined> =>
    reference === undefined ? undefined : bytes(await readSecret(reference), path);
  const parts: { readonly [Part in keyof Material]: () => Promise<Material[Part]> } = {
    introspection: () => introspectionOf(policy.issuers, readSecret),
    dpop: () => dpopOf(policy, secretBytes),
    pageLinks: () => pageLinksOf(policy, readSecret, before),
    devices: () => readEach(devices.map((device, index) => () => deviceOf(device, `devices[${index}]`))),
    redactionKeys: () => redactionKeysOf(policy.redaction, readSecret),
    identityKey: async () =>
      identity?.token === undefined ? undefined : jwk(await readSecret(identity.token.key), "identity.token.key"),
    places: () => placesOf(policy, before?.places),
    abuseKey: () => secretBytes(watch.key, "abuse.key"),
    usageKey: () => secretBytes(policy.usage?.key, "usage.key"),
    webhookSecret: async () => (watch.webhook === undefined ? undefined : readSecret(watch.webhook.secret)),
    profiles: () => readProfiles(policy),
    operationDefinitions: () => readOperationDefinitions(policy),
    documents: () => readDocuments(policy),
    signInClients: () => readSignInClients(policy),
    upstreamTls: () => upstreamTlsOf(policy, readSecret),
  };
  const readings = Object.entries(parts).map(
    ([name, part]) =>
      async () =>
        [name, await part()] as const,
  );
  return Object.fromEntries(await readEach<readonly [string, unknown]>(readings)) as unknown as Material;
}

async function dpopOf(
  { dpop }: PolicyDocument,
  secretBytes: (reference: string | undefined, path: string) => Promise<Uint8Array | undefined>,
): Promise<DpopOptions> {
  if (dpop === undefined) return {};
  const nonceKey = await secretBytes(dpop.nonceKey, "dpop.nonceKey");
  return { ...withoutKey(dpop, "nonceKey"), ...(nonceKey === undefined ? {} : { nonceKey }) };
}

async function pageLinksOf(
  { pageLinks }: PolicyDocument,
  readSecret: ReadSecret,
  before: Material | undefined,
): Promise<PageLinkOptions> {
  // Kept over a reload, so that the pages somebody is reading go on.
  if (pageLinks === undefined) return { keys: before?.pageLinks.keys ?? [randomBytes(PAGE_KEY_BYTES)] };
  const { lifetimeSeconds } = pageLinks;
  const keys = await Promise.all(pageLinks.keys.map((key) => readSecret(key)));
  return { keys, ...(lifetimeSeconds === undefined ? {} : { lifetimeSeconds }) };
}

async function introspectionOf(
  issuers: readonly IssuerEntry[],
  readSecret: ReadSecret,
): Promise<Material["introspection"]> {
  const found = new Map<string, NonNullable<SmartIssuer["introspection"]>>();
  for (const [index, { issuer, introspection }] of issuers.entries()) {
    if (introspection === undefined) continue;
    found.set(issuer, await askingOf(introspection, `issuers[${index}].introspection`, readSecret));
  }
  return found;
}

async function deviceOf(
  { addresses: _addresses, crl, issuedBy, intermediates, ...device }: NonNullable<PolicyDocument["devices"]>[number],
  path: string,
): Promise<DeviceClass> {
  return {
    ...device,
    issuedBy: await readEach(issuedBy.map((file, index) => () => readText(file, `${path}.issuedBy[${index}]`))),
    ...(intermediates === undefined
      ? {}
      : {
          intermediates: await readEach(
            intermediates.map((file, index) => () => readText(file, `${path}.intermediates[${index}]`)),
          ),
        }),
    ...(crl === undefined ? {} : { readCrl: () => readFile(crl) }),
  };
}

async function redactionKeysOf(
  redaction: PolicyDocument["redaction"],
  readSecret: ReadSecret,
): Promise<Material["redactionKeys"]> {
  const { pseudonyms, encryption } = redaction ?? {};
  const keys = await Promise.all(
    Object.entries(pseudonyms?.keys ?? {}).map(
      async ([id, reference]) => [id, bytes(await readSecret(reference), `redaction.pseudonyms.keys.${id}`)] as const,
    ),
  );
  return {
    ...(pseudonyms === undefined ? {} : { pseudonyms: { ...pseudonyms, keys: Object.fromEntries(keys) } }),
    ...(encryption === undefined
      ? {}
      : {
          cipher: fieldCipher({
            keys: await localKeyRing({ file: encryption.keyRing, passphrase: await readSecret(encryption.passphrase) }),
          }),
        }),
  };
}

async function upstreamTlsOf({ upstreams }: PolicyDocument, readSecret: ReadSecret): Promise<Material["upstreamTls"]> {
  const found = new Map<string, TlsClientOptions>();
  for (const [name, { tls }] of Object.entries(upstreams)) {
    if (tls !== undefined) found.set(name, await clientTls(tls, readSecret));
  }
  return found;
}

async function clientTls(
  { ca, cert, key, ...rest }: UpstreamTlsPolicy,
  readSecret: ReadSecret,
): Promise<TlsClientOptions> {
  return tlsClientOptions({
    ...rest,
    ...(ca === undefined ? {} : { ca: ca.map((file) => ({ file })) }),
    ...(cert === undefined ? {} : { cert: { file: cert } }),
    ...(key === undefined ? {} : { key: { value: await readSecret(key) } }),
  });
}

function withoutKey<Value extends object, Key extends keyof Value>(value: Value, key: Key): Omit<Value, Key> {
  const { [key]: _left, ...rest } = value;
  return rest;
}
