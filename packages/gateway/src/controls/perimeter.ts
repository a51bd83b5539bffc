import {
  addressGuard,
  type HostileInputOptions,
  type IdentityWriter,
  identityHeaders,
  type PerimeterOptions,
  PRIVATE_NETWORKS,
} from "@wardline/perimeter";
import { type PolicyDocument, type RoutePolicy, ZONE_PRESETS } from "@wardline/policy-types";
import type { RequestHandler } from "express";
import { resourceMetadataPath } from "../auth.ts";
import { documentPaths } from "../policy/api-documents-rules.ts";
import { serverMetadataPaths } from "../sign-in/metadata.ts";
import type { Material } from "../state/material.ts";

export const SMART_CONFIGURATION = "/.well-known/smart-configuration";

export function perimeterOptions(policy: PolicyDocument, routes: readonly RoutePolicy[]): PerimeterOptions {
  const { trustedProxies, cors, hosts, clientCertificateHeader, upstreams } = policy;
  return {
    development: policy.development === true,
    publicPaths: [
      ...documentPaths(policy.apiDocuments),
      ...serverMetadataPaths(policy),
      ...routes.flatMap((route) => [
        `${route.path}/metadata`,
        `${route.path}${SMART_CONFIGURATION}`,
        resourceMetadataPath(route),
      ]),
    ].map((path) => ({ method: "GET", path })),
    requestHeaders: ["idempotency-key"],
    hostileInput: hostileOptions(
      policy,
      Object.values(upstreams).map(({ url }) => url),
    ),
    ...(trustedProxies === undefined ? {} : { trustedProxies }),
    ...(cors === undefined ? {} : { cors }),
    ...(hosts === undefined ? {} : { hosts }),
    ...certificateHeader(clientCertificateHeader),
  };
}

/** What smart-auth reads where the policy names no header; the perimeter lets the other formats' pass by itself. */
const USUAL_NAMES: Readonly<Partial<Record<string, string>>> = Object.freeze({
  nginx: "x-ssl-client-cert",
  aws: "x-amzn-mtls-clientcert-leaf",
});

function certificateHeader(
  header: PolicyDocument["clientCertificateHeader"],
): Pick<PerimeterOptions, "clientCertificateHeader"> {
  const name = header?.name ?? USUAL_NAMES[header?.format ?? ""];
  return name === undefined ? {} : { clientCertificateHeader: name };
}

/** References to the data's own servers are no attack. */
export function hostileOptions(
  { hostileInput, publicOrigin }: PolicyDocument,
  bases: readonly string[],
): HostileInputOptions {
  const allowedOrigins = [...new Set([publicOrigin, ...bases.map((base) => new URL(base).origin)])];
  return { ...hostileInput, allowedOrigins };
}

/** The networks of a route, and those of each class of its devices. */
export function addressStages({ devices = [] }: PolicyDocument, route: RoutePolicy): RequestHandler[] {
  const { addresses: preset, authentication } = ZONE_PRESETS[route.zone];
  const ranges = route.addresses ?? (preset === "private-networks" ? PRIVATE_NETWORKS : undefined);
  const stages: RequestHandler[] = [];
  if (ranges !== undefined) stages.push(addressGuard({ classes: { [route.id]: ranges }, classOf: () => route.id }));
  if (authentication === "device-certificate") {
    const classes = Object.fromEntries(
      devices.flatMap(({ name, addresses = ranges }) => (addresses === undefined ? [] : [[name, addresses]])),
    );
    // A device's class is the one role its certificate gives it.
    stages.push(addressGuard({ classes, classOf: ({ principal }) => principal?.roles[0] }));
  }
  return stages;
}

export function identityOf(
  { identity, publicOrigin }: PolicyDocument,
  { identityKey }: Material,
): IdentityWriter | undefined {
  if (identity === undefined) return undefined;
  const { headers, token } = identity;
  return identityHeaders({
    ...(headers === undefined ? {} : { headers }),
    ...(token === undefined || identityKey === undefined
      ? {}
      : { token: { ...token, key: identityKey, issuer: publicOrigin } }),
  });
}
