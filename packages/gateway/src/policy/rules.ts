import { entriesFromPolicy, entryIssues } from "@wardline/api-inventory";
import { type Findings, nearest, type PolicyDocument, type RoutePolicy, ZONE_PRESETS } from "@wardline/policy-types";
import { checkRedaction } from "../controls/redaction.ts";
import { checkAddresses } from "./address-rules.ts";
import { checkApiDocuments } from "./api-documents-rules.ts";
import { checkAuthority } from "./authority-rules.ts";
import { checkDoors, doorsOf } from "./listeners.ts";
import { checkOpenApi } from "./open-api-rules.ts";
import { checkClaims } from "./route-rules.ts";
import { checkSignIn } from "./sign-in-rules.ts";
import { checkTokenUse } from "./token-use-rules.ts";
import { checkTypes } from "./types.ts";
import { checkVersions } from "./version-rules.ts";

/** Rules across fields, which a schema cannot say. Requires a policy of the right shape. */
export function checkRules(policy: PolicyDocument, found: Findings): void {
  checkTransport(policy, found);
  checkIssuers(policy, found);
  checkUpstreams(policy, found);
  checkDoors(policy, found);
  checkRedaction(policy, found);
  checkDevices(policy, found);
  checkPayer(policy, found);
  checkRegistry(policy, found);
  checkApiDocuments(policy, found);
  checkPools(policy, found);
  checkAddresses(policy, found);
  checkAuthority(policy, found);
  for (const [index, route] of policy.routes.entries()) checkRoute(policy, route, `routes[${index}]`, found);
  checkOpenApi(policy, found);
  checkClaims(policy, found);
  checkSignIn(policy, found);
}

function checkTransport(policy: PolicyDocument, found: Findings): void {
  const places: [path: string, url: string][] = [
    ["publicOrigin", policy.publicOrigin],
    ...Object.entries(policy.upstreams).flatMap(([name, { url, targets = [] }]): [string, string][] => [
      [`upstreams.${name}.url`, url],
      ...targets.map((target, index): [string, string] => [`upstreams.${name}.targets[${index}].url`, target.url]),
    ]),
    ...policy.issuers.flatMap(({ issuer, jwksUri, smart }, index): [string, string][] => [
      ...(issuer === "*" ? [] : [[`issuers[${index}].issuer`, issuer] as [string, string]]),
      ...(jwksUri === undefined ? [] : [[`issuers[${index}].jwksUri`, jwksUri] as [string, string]]),
      ...(smart === undefined
        ? []
        : [[`issuers[${index}].smart.tokenEndpoint`, smart.tokenEndpoint] as [string, string]]),
    ]),
    ...(policy.signIn?.clients ?? []).flatMap(({ jwksUri }, index): [string, string][] =>
      jwksUri === undefined ? [] : [[`signIn.clients[${index}].jwksUri`, jwksUri]],
    ),
  ];
  for (const [path, text] of places) {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url === undefined) found.add(path, "url", "is not an absolute URL");
    else if (url.username !== "" || url.password !== "")
      found.add(path, "url", "must not hold a user name or password; leave them out");
    else if (url.protocol === "https:") continue;
    else if (policy.development !== true)
      found.add(path, "https", "must be https (plain http needs `development: true`)");
    else if (!isLoopback(url.hostname))
      found.add(path, "https", "plain http is for loopback addresses only; write https");
  }
  for (const { name, host } of doorsOf(policy)) {
    if (policy.development !== true || isLoopback(host)) continue;
    const message = "`development` listens on loopback only; write 127.0.0.1, or remove `development`";
    found.add(name === "main" ? "listen.host" : `listeners.${name}.host`, "https", message);
  }
  if (policy.audit.onFailure === "continue" && policy.audit.durability !== "async") {
    found.add(
      "audit.onFailure",
      "audit",
      "`continue` goes with `durability: async`; a held answer cannot go on without its record",
    );
  }
}

function checkUpstreams(policy: PolicyDocument, found: Findings): void {
  for (const [name, { targets, srv }] of Object.entries(policy.upstreams)) {
    if (targets === undefined || srv === undefined) continue;
    found.add(`upstreams.${name}`, "ambiguous", "name its servers in `targets` or by `srv`, not both");
  }
}

const PAYER_API_TYPES = ["patient-access", "provider-access", "payer-to-payer", "prior-authorization"];

/** @see 42 CFR 422.119 to 422.122 (CMS-0057-F) */
function checkPayer({ payer, routes, usage }: PolicyDocument, found: Findings): void {
  if (payer !== true) return;
  const missing = PAYER_API_TYPES.filter((type) => routes.every(({ apiType }) => apiType !== type));
  if (missing.length > 0) {
    found.add(
      "routes",
      "payer",
      `a payer serves ${missing.join(", ")} too (CMS-0057-F); add the routes or remove \`payer\``,
    );
  }
  if (usage === undefined)
    found.add(
      "usage",
      "missing",
      "a payer reports figures (CMS-0057-F): say where they are kept and how patients are hashed",
    );
}

/** Adds what the registry's own rules find: notice of a retirement, review dates. */
function checkRegistry(policy: PolicyDocument, found: Findings): void {
  for (const { path, code, message } of entryIssues(entriesFromPolicy(policy))) {
    const [, index, member = ""] = /^entries\[(\d+)\]\.(.+)$/.exec(path) ?? [];
    // What the entry shares with its route has been checked with the route.
    const name = member.split(/[.[]/, 1)[0] ?? "";
    const isOwn = index !== undefined && Object.hasOwn(policy.routes[Number(index)]?.registry ?? {}, name);
    if (isOwn) found.add(`routes[${index}].registry.${member}`, code, message);
  }
}

/** What is reserved must fit: a reserve that is not there protects nobody. */
function checkPools({ pools }: PolicyDocument, found: Findings): void {
  if (pools === undefined) return;
  const reserved = Object.values(pools.pools).reduce((sum, pool) => sum + (pool.reserved ?? 0), 0);
  if (reserved > pools.capacity) {
    found.add(
      "pools.capacity",
      "too-small",
      `the pools reserve ${reserved} of ${pools.capacity}; reserve less or raise it`,
    );
  }
}

/** The zone table: devices are known by certificate, and by the networks they stand in. */
function checkDevices({ routes, devices = [] }: PolicyDocument, found: Findings): void {
  const isOfDevices = ({ zone }: RoutePolicy): boolean => ZONE_PRESETS[zone].authentication === "device-certificate";
  for (const [index, route] of routes.entries()) {
    if (!isOfDevices(route)) continue;
    if (devices.length === 0 && routes.findIndex(isOfDevices) === index) {
      found.add(
        "devices",
        "missing",
        "the device zone knows its callers by `devices`: who certifies them and what they may do",
      );
    }
    if (route.types === undefined) {
      const message = "the device zone takes a closed list of types; name them, as in `types: [Observation]`";
      found.add(`routes[${index}].types`, "missing", message);
    }
    for (const what of ["resources", "queries"] as const) {
      if ((route.schema?.[what] ?? "refuse") === "refuse") continue;
      found.add(
        `routes[${index}].schema.${what}`,
        "too-weak",
        "the device zone is strict; write `refuse`, or leave it out",
      );
    }
    if (route.addresses === undefined && devices.some(({ addresses }) => addresses === undefined)) {
      const message = "name the networks its devices stand in, here or for every class in `devices`";
      found.add(`routes[${index}].addresses`, "missing", message);
    }
  }
}

function checkBackends({ backends = [] }: RoutePolicy, policy: PolicyDocument, path: string, found: Findings): void {
  for (const [index, { types, upstream }] of backends.entries()) {
    checkName(upstream, Object.keys(policy.upstreams), `${path}.backends[${index}].upstream`, "upstream", found);
    checkTypes(types, `${path}.backends[${index}].types`, found);
  }
  for (const type of repeats(backends.flatMap(({ types }) => types))) {
    found.add(`${path}.backends`, "repeated", `two backends answer for \`${type}\``);
  }
}

function checkIssuers(policy: PolicyDocument, found: Findings): void {
  for (const issuer of repeats(policy.issuers.map(({ issuer }) => issuer))) {
    const index = policy.issuers.findLastIndex((one) => one.issuer === issuer);
    found.add(
      `issuers[${index}].issuer`,
      "repeated",
      `two entries for the issuer ${issuer}; give one entry all audiences`,
    );
  }
  const zones = new Set(policy.routes.map(({ zone }) => zone));
  for (const [index, { audience }] of policy.issuers.entries()) {
    if (audience === undefined || zones.size < 2) continue;
    const message = `a token for it would count in the ${[...zones].join(" and ")} zones alike; leave it out, and each route expects its own address`;
    found.add(`issuers[${index}].audience`, "zones-meet", message);
  }
  for (const [index, { issuer, jwksUri }] of policy.issuers.entries()) {
    if (issuer !== "*" || (policy.issuers.length === 1 && jwksUri !== undefined)) continue;
    const message =
      "`*` means whatever the keys of `jwksUri` signed, so it needs `jwksUri` and must be the only issuer";
    found.add(`issuers[${index}].issuer`, "ambiguous", message);
  }
}

function checkRoute(policy: PolicyDocument, route: RoutePolicy, path: string, found: Findings): void {
  checkName(route.upstream, Object.keys(policy.upstreams), `${path}.upstream`, "upstream", found);
  checkName(route.tier, Object.keys(policy.tiers), `${path}.tier`, "tier", found);
  checkTypes(route.types, `${path}.types`, found);
  checkTypes(route.supportTypes, `${path}.supportTypes`, found);
  checkBackends(route, policy, path, found);
  for (const [index, { upstream }] of (route.versions ?? []).entries()) {
    checkName(upstream, Object.keys(policy.upstreams), `${path}.versions[${index}].upstream`, "upstream", found);
  }
  checkVersions(policy, route, path, found);
  checkTokenUse(route, path, found);
  for (const [index, operation] of (route.operations ?? []).entries()) {
    if (operation.startsWith("$"))
      found.add(`${path}.operations[${index}]`, "operation", `write \`${operation.slice(1)}\` without the $`);
  }
}

function checkName(name: string, known: readonly string[], path: string, what: string, found: Findings): void {
  // An empty name was not written: that it is missing has been told.
  if (name === "" || known.includes(name)) return;
  const near = nearest(name, known);
  const hint = near === undefined ? `known ones are ${known.join(", ")}` : `did you mean \`${near}\`?`;
  found.add(path, "unknown-name", `there is no ${what} \`${name}\`, ${hint}`);
}

function repeats(names: readonly string[]): Set<string> {
  return new Set(names.filter((name, index) => names.indexOf(name) !== index));
}

function isLoopback(host: string): boolean {
  return /^(?:localhost|127(?:\.\d{1,3}){3}|\[?::1\]?)$/.test(host);
}
