import { type PolicyDocument, type RoutePolicy, ZONE_PRESETS } from "@wardline/policy-types";
import type { ProtectedResourceMetadataOptions, SmartAuthOptions, SmartIssuer } from "@wardline/smart-auth";
import type { Backends } from "./proxy/backends.ts";
import { readStored } from "./proxy/stored.ts";

/** What authentication needs and no policy may hold: secrets, and stores that several instances share. */
export interface AuthDependencies extends Pick<SmartAuthOptions, "dpop" | "replayStore" | "revocation"> {
  /** How to ask an issuer of the policy about a token, by its `issuer`. */
  readonly introspection?: Readonly<Record<string, NonNullable<SmartIssuer["introspection"]>>>;
}

export interface AuthFacts {
  readonly policy: PolicyDocument;
  readonly route: RoutePolicy;
  readonly backends: Backends;
  readonly dependencies: {
    readonly auth: AuthDependencies;
    readonly fetch: typeof fetch;
    readonly now: () => number;
  };
  readonly requestBodyBytes: number;
}

/** Where the route's RFC 9728 document stands: the path of the resource behind the well-known one. */
export function resourceMetadataPath({ path }: RoutePolicy): string {
  return `/.well-known/oauth-protected-resource${path}`;
}

export function resourceMetadata(policy: PolicyDocument, { path }: RoutePolicy): ProtectedResourceMetadataOptions {
  return {
    resource: policy.publicOrigin + path,
    authorizationServers: policy.issuers.map(({ issuer }) => issuer),
    development: policy.development === true,
  };
}

/** A terminator's word on certificates counts only from where its word on addresses does. */
function certificateOptions(
  { clientCertificateHeader, trustedProxies = [] }: PolicyDocument,
  { zone }: RoutePolicy,
): Pick<SmartAuthOptions, "clientCertificateHeader" | "requireCertificateBound"> {
  return {
    ...(clientCertificateHeader === undefined
      ? {}
      : { clientCertificateHeader: { ...clientCertificateHeader, trustedProxies } }),
    ...(ZONE_PRESETS[zone].authentication === "client-credentials" ? { requireCertificateBound: true } : {}),
  };
}

export function authOptions({ policy, route, backends, dependencies, requestBodyBytes }: AuthFacts): SmartAuthOptions {
  const { operations, types, extraParameters, compartmentRule, supportTypes } = route;
  const { introspection = {}, dpop = {}, ...shared } = dependencies.auth;
  return {
    ...shared,
    ...certificateOptions(policy, route),
    // A token bound to a key is worth more than one that is not, so nothing has to be switched on for it.
    dpop,
    issuers: policy.issuers.map((issuer) => {
      const asked = Object.hasOwn(introspection, issuer.issuer) ? introspection[issuer.issuer] : undefined;
      return asked === undefined ? issuer : { ...issuer, introspection: asked };
    }),
    baseUrl: policy.publicOrigin + route.path,
    backendBaseUrls: [...new Set(backends.all.flatMap((upstream) => upstream.baseUrls()))],
    interactions: route.interactions,
    ...(operations === undefined ? {} : { operations }),
    ...(types === undefined ? {} : { types }),
    ...(extraParameters === undefined ? {} : { extraParameters }),
    ...(compartmentRule === undefined ? {} : { compartmentRule }),
    ...(supportTypes === undefined ? {} : { supportTypes }),
    readStored: (reference) => readStored(backends.forType(reference.type), reference),
    requestBodyBytes,
    development: policy.development === true,
    resourceMetadata: true,
    fetch: dependencies.fetch,
    now: dependencies.now,
  };
}
