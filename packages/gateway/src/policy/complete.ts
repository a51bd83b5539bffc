import {
  type Findings,
  type PolicyDocument,
  type PolicySource,
  type RouteSource,
  ZONE_PRESETS,
} from "@wardline/policy-types";

const DEFAULT_PORT = 8080;
const DEFAULT_ROUTE: RouteSource = {
  id: "patient-access",
  path: "/fhir",
  zone: "patient",
  apiType: "patient-access",
  interactions: ["capabilities", "read", "vread", "history-instance", "search-type"],
};
const DEFAULT_TIER: PolicyDocument["tiers"][string] = {
  windows: [
    { name: "app", limit: 1200, windowSeconds: 60, by: "client" },
    { name: "user", limit: 300, windowSeconds: 60, by: "user" },
  ],
  concurrency: 50,
};

/**
 * Fills in what a policy leaves out, so that a small edge has a small policy. Every default is the safe one. Requires a
 * value of the right shape; adds to `found` what has no safe default.
 */
export function completePolicy(source: PolicySource, found: Findings): PolicyDocument {
  const given = withoutShortForms(source);
  const publicOrigin = source.publicOrigin ?? ownOrigin(source);
  const upstreams = completeUpstreams(source, found);
  const tiers = given.tiers ?? { standard: DEFAULT_TIER };
  const routes = (given.routes ?? [DEFAULT_ROUTE]).map((route, index) => ({
    ...route,
    interactions: route.interactions ?? [],
    upstream: route.upstream ?? onlyName(upstreams, `routes[${index}].upstream`, "upstream", found),
    tier: route.tier ?? onlyName(tiers, `routes[${index}].tier`, "tier", found),
  }));
  return {
    ...given,
    wardline: 1,
    name: given.name ?? "wardline",
    publicOrigin,
    issuers: completeIssuers(source, found),
    upstreams,
    tiers,
    routes,
    audit: { ...given.audit, folder: given.audit?.folder ?? "wardline-audit" },
  };
}

function withoutShortForms(source: PolicySource): Omit<PolicySource, "upstream" | "issuer" | "jwksUri" | "audience"> {
  const {
    upstream: _upstream,
    issuer: _issuer,
    jwksUri: _jwksUri,
    audience: _audience,
    $schema: _schema,
    ...rest
  } = source;
  return rest;
}

function completeUpstreams({ upstream, upstreams }: PolicySource, found: Findings): PolicyDocument["upstreams"] {
  if (upstream !== undefined && upstreams !== undefined) {
    found.add("upstream", "ambiguous", "is short for one entry of `upstreams`; write either");
  }
  if (upstreams !== undefined) return upstreams;
  if (upstream === undefined) {
    found.add("upstream", "missing", "name the FHIR server behind this edge: `upstream: https://...`");
    return {};
  }
  return { fhir: { url: upstream } };
}

function completeIssuers(source: PolicySource, found: Findings): NonNullable<PolicySource["issuers"]> {
  const { issuer, jwksUri, audience, issuers } = source;
  const isShort = issuer !== undefined || jwksUri !== undefined;
  if (issuers !== undefined) {
    if (isShort) found.add("issuer", "ambiguous", "is short for one entry of `issuers`; write either");
    return issuers;
  }
  if (!isShort) {
    // Devices come with a certificate; who has no token needs nobody to issue it.
    if (isForDevicesOnly(source)) return [];
    found.add("issuer", "missing", "name who issues the tokens: `issuer: https://...`, or `jwksUri` and `audience`");
    return [];
  }
  if (issuer === undefined && audience === undefined) {
    found.add("audience", "missing", "without an issuer, say which `aud` its tokens carry: `audience: https://...`");
  }
  return [
    {
      issuer: issuer ?? "*",
      ...(jwksUri === undefined ? {} : { jwksUri }),
      ...(audience === undefined ? {} : { audience: typeof audience === "string" ? [audience] : audience }),
    },
  ];
}

function isForDevicesOnly({ routes = [], admin }: PolicySource): boolean {
  const areDevices = routes.length > 0 && routes.every(({ zone }) => isOfDevices(zone));
  return areDevices && admin?.operators === undefined;
}

function isOfDevices(zone: RouteSource["zone"]): boolean {
  return ZONE_PRESETS[zone].authentication === "device-certificate";
}

/** What a client on this machine would write. Behind anything else `publicOrigin` must be given, and links show it. */
function ownOrigin({ listen, development }: PolicySource): string {
  const { host = "127.0.0.1", port = DEFAULT_PORT } = listen ?? {};
  const shown = host.includes(":") ? `[${host}]` : host;
  return `${development === true ? "http" : "https"}://${shown}:${port}`;
}

function onlyName(named: object, path: string, what: string, found: Findings): string {
  const names = Object.keys(named);
  if (names.length === 1 && names[0] !== undefined) return names[0];
  if (names.length > 1) found.add(path, "missing", `name one of the ${what}s: ${names.join(", ")}`);
  return "";
}
