import {
  type ConditionPolicy,
  type IssuerEntry,
  type PolicyDocument,
  type RoutePolicy,
  ZONE_PRESETS,
} from "@wardline/policy-types";
import type {
  AccessRule,
  PolicyOptions,
  ProtectedResourceMetadataOptions,
  SmartAuthOptions,
  SmartIssuer,
} from "@wardline/smart-auth";
import type { Health } from "./health.ts";
import type { ParsedDependencies } from "./options.ts";
import type { Backends } from "./proxy/backends.ts";
import { readStored, searchStored } from "./proxy/stored.ts";
import type { Material } from "./state/material.ts";
import type { SharedState } from "./state/shared.ts";

const DAY = 86_400;

export interface AuthFacts {
  readonly policy: PolicyDocument;
  readonly route: RoutePolicy;
  readonly backends: Backends;
  readonly material: Material;
  readonly shared: SharedState;
  readonly dependencies: ParsedDependencies;
  readonly health: Pick<Health, "keysChanged">;
  readonly requestBodyBytes: number;
}

/** Where the route's RFC 9728 document stands: the path of the resource behind the well-known one. */
export function resourceMetadataPath({ path }: RoutePolicy): string {
  return `/.well-known/oauth-protected-resource${path}`;
}

export function resourceMetadata(
  policy: PolicyDocument,
  { path, zone }: RoutePolicy,
): ProtectedResourceMetadataOptions {
  return {
    resource: policy.publicOrigin + path,
    // RFC 9728 section 2: unsaid, it means that no such tokens are taken.
    ...(takesBoundTokensOnly(zone) ? { tlsClientCertificateBoundAccessTokens: true } : {}),
    authorizationServers: policy.issuers.flatMap(({ issuer }) => (issuer === "*" ? [] : [issuer])),
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
    ...(takesBoundTokensOnly(zone) ? { requireCertificateBound: true } : {}),
  };
}

function takesBoundTokensOnly(zone: RoutePolicy["zone"]): boolean {
  return ZONE_PRESETS[zone].authentication === "client-credentials";
}

/** Whose tokens count, and how each issuer is asked about them. */
export function trustedIssuers(
  { policy, material, dependencies }: Pick<AuthFacts, "policy" | "material" | "dependencies">,
  audienceOf: (issuer: IssuerEntry) => readonly string[],
): SmartIssuer[] {
  const { introspection: given = {} } = dependencies.auth;
  return policy.issuers.map((entry) => {
    const { introspection: _policy, ...issuer } = entry;
    const asked = Object.hasOwn(given, issuer.issuer)
      ? given[issuer.issuer]
      : material.introspection.get(issuer.issuer);
    return {
      ...issuer,
      audience: audienceOf(entry),
      ...(asked === undefined ? {} : { introspection: asked }),
    } as SmartIssuer;
  });
}

export function authOptions(facts: AuthFacts): SmartAuthOptions {
  const { policy, route, backends, material, shared, dependencies, health, requestBodyBytes } = facts;
  const { types, extraParameters, compartmentRule, supportTypes, operations = [], memberOperations } = route;
  const { userAccess } = dependencies.auth;
  const baseUrl = policy.publicOrigin + route.path;
  return {
    ...authority(facts),
    ...certificateOptions(policy, route),
    issuers: trustedIssuers(facts, ({ audience }) => audience ?? [baseUrl]),
    // A token bound to a key is worth more than one that is not, so nothing has to be switched on for it.
    dpop: material.dpop,
    replayStore: shared.replayStore,
    revocation: shared.revocation,
    ...(userAccess === undefined ? {} : { userAccess }),
    baseUrl,
    backendBaseUrls: [...new Set(backends.all.flatMap((upstream) => upstream.baseUrls()))],
    interactions: route.interactions,
    operations,
    ...(memberOperations === undefined ? {} : { memberOperations }),
    ...(types === undefined ? {} : { types }),
    ...(extraParameters === undefined ? {} : { extraParameters }),
    ...(route.schema?.allowLenient === true ? { allowLenient: true } : {}),
    ...(compartmentRule === undefined ? {} : { compartmentRule }),
    ...(supportTypes === undefined ? {} : { supportTypes }),
    readStored: (reference) => readStored(backends.forType(reference.type), reference),
    searchStored: (search) => searchStored(backends.forType(search.type), search),
    pageLinks: material.pageLinks,
    ...(operations.includes("export") ? { bulkExport: { store: shared.exportJobs, ...lifetimeOf(policy) } } : {}),
    oneTimeTokens: route.oneTimeTokens === true,
    ...(route.bindToFirstHolder === true ? { bindToFirstHolder: true, holderStore: shared.holderStore } : {}),
    requestBodyBytes,
    development: policy.development === true,
    resourceMetadata: true,
    onKeys: ({ issuer, kind, failures }) => {
      if (kind !== "unknown-kid") health.keysChanged(issuer, kind === "fetched");
      if (kind === "fetched" && failures === 0) return;
      dependencies.onEvent({
        level: kind === "fetched" ? "info" : "warn",
        code: "gateway/issuer-keys",
        message: "the keys of an issuer changed their state",
        facts: { issuer, state: kind, failures },
      });
    },
    fetch: dependencies.fetch,
    now: dependencies.now,
  };
}

/** An export of this edge may run as long as its files are kept afterwards; its addresses lead somewhere all the while. */
function lifetimeOf({ bulkExport }: PolicyDocument): { lifetimeSeconds?: number } {
  return bulkExport === undefined ? {} : { lifetimeSeconds: (bulkExport.lifetimeSeconds ?? DAY) * 2 };
}

/** Who may do what, beyond what a token's scopes say. */
function authority({ policy, route, material, shared, dependencies }: AuthFacts): PolicyOptions {
  const { clients, conditions, breakGlass, consent } = policy;
  const { onBreakGlass } = dependencies.auth;
  return {
    ...(clients === undefined ? {} : { clients }),
    ...(conditions === undefined ? {} : { conditions: conditions.map((rule) => forRoute(rule, route)) }),
    refuseWildcardScopes: route.refuseWildcardScopes === true,
    ...(breakGlass === undefined
      ? {}
      : {
          breakGlass,
          onBreakGlass: (event) => {
            const { outcome, requestId, purpose, interaction } = event;
            dependencies.onEvent({
              level: "warn",
              code: "gateway/break-glass",
              message: "somebody broke the glass, or tried",
              facts: { outcome, requestId, purpose, interaction },
            });
            onBreakGlass?.(event);
          },
        }),
    ...(consent === undefined
      ? {}
      : {
          consent: {
            registry: shared.consent,
            ...(consent.categories === undefined ? {} : { categories: consent.categories }),
            ...(consent.managers === undefined ? {} : { managers: consent.managers }),
            ...(consent.readResources === undefined ? {} : { readResources: consent.readResources }),
          },
        }),
    ...(ZONE_PRESETS[route.zone].authentication === "device-certificate" ? { devices: material.devices } : {}),
  };
}

/**
 * A condition as it stands at one route. Where it does not speak of the route, one that permits opens nothing, and any
 * other asks nothing.
 */
function forRoute({ on, ...rule }: ConditionPolicy, { id, zone }: RoutePolicy): AccessRule {
  const { zones, routes, ...about } = on ?? {};
  const isMeant = (zones?.includes(zone) ?? true) && (routes?.includes(id) ?? true);
  if (isMeant) return { ...rule, ...(Object.keys(about).length === 0 ? {} : { on: about }) };
  const holds = rule.effect === "require";
  return { ...rule, when: { test: () => holds } };
}
