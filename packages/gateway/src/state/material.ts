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
import { bytes, jwk, type ReadSecret, readText } from "./read.ts";
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
 * @throws {ConfigurationError} when a file is missing or a secret has the wrong form
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
  const { dpop, pageLinks, devices = [], identity, abuse } = policy;
  return {
    introspection: await introspectionOf(policy.issuers, readSecret),
    dpop:
      dpop === undefined
        ? {}
        : {
            ...withoutKey(dpop, "nonceKey"),
            ...(dpop.nonceKey === undefined
              ? {}
              : { nonceKey: bytes(await readSecret(dpop.nonceKey), "dpop.nonceKey") }),
          },
    pageLinks: {
      // Kept over a reload, so that the pages somebody is reading go on.
      keys:
        pageLinks === undefined
          ? (before?.pageLinks.keys ?? [randomBytes(PAGE_KEY_BYTES)])
          : await Promise.all(pageLinks.keys.map((key) => readSecret(key))),
      ...(pageLinks?.lifetimeSeconds === undefined ? {} : { lifetimeSeconds: pageLinks.lifetimeSeconds }),
    },
    devices: await Promise.all(devices.map((device, index) => deviceOf(device, `devices[${index}]`))),
    redactionKeys: await redactionKeysOf(policy.redaction, readSecret),
    identityKey:
      identity?.token === undefined ? undefined : jwk(await readSecret(identity.token.key), "identity.token.key"),
    places: await placesOf(policy, before?.places),
    abuseKey:
      abuse === undefined || abuse === false || abuse.key === undefined
        ? undefined
        : bytes(await readSecret(abuse.key), "abuse.key"),
    usageKey: policy.usage === undefined ? undefined : bytes(await readSecret(policy.usage.key), "usage.key"),
    webhookSecret:
      abuse === undefined || abuse === false || abuse.webhook === undefined
        ? undefined
        : await readSecret(abuse.webhook.secret),
    profiles: await readProfiles(policy),
    operationDefinitions: await readOperationDefinitions(policy),
    documents: await readDocuments(policy),
    signInClients: await readSignInClients(policy),
    upstreamTls: await upstreamTlsOf(policy, readSecret),
  };
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
    issuedBy: await Promise.all(issuedBy.map((file, index) => readText(file, `${path}.issuedBy[${index}]`))),
    ...(intermediates === undefined
      ? {}
      : {
          intermediates: await Promise.all(
            intermediates.map((file, index) => readText(file, `${path}.intermediates[${index}]`)),
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
