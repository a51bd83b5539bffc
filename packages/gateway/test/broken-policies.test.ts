import { ConfigurationError } from "@wardline/policy-types";
import { describe, expect, it } from "vitest";
import { parsePolicy } from "../src/index.ts";

/** A good policy of all four zones. Each row below spoils one thing in it. */
const GOOD = `wardline: 1
name: example
publicOrigin: https://fhir.example.org
listen: { port: 8443, zones: [patient, internal], tls: { cert: edge.pem, key: "file:edge.key" } }
listeners:
  partners: { port: 8445, zones: [partner], tls: { cert: edge.pem, key: "file:edge.key", clientCa: [partners.pem] } }
  devices: { port: 8446, zones: [device], tls: { cert: edge.pem, key: "file:edge.key", clientCa: [devices.pem] } }
admin: { port: 9443, operators: { audience: "https://edge.example.org", roles: [operator] } }
trustedProxies: [10.0.0.0/24]
issuers:
  - issuer: https://id.example.org
    jwksUri: https://id.example.org/jwks
    algorithms: [ES256]
clients:
  - { clientId: app, scopes: [patient/*.rs] }
  - { clientId: payer, organisation: north, scopes: [patient/Coverage.rs] }
devices:
  - name: monitor
    issuedBy: [devices.pem]
    identity: { name: uri, prefix: "urn:example:" }
    scopes: [system/Observation.c]
    addresses: [10.20.0.0/16]
consent: { categories: [{ name: hiv, codes: ["http://snomed.info/sct|86406008"] }] }
conditions:
  - { id: at-work, effect: require, on: { zones: [internal] }, when: { hours: { timeZone: America/Chicago, from: "08:00", to: "18:00" } } }
  - { id: hiv-stays, effect: withhold, categories: [hiv], on: { routes: [partner] }, when: { networks: [10.0.0.0/8] } }
upstreams:
  ehr: { url: https://ehr.internal.example/r4 }
  claims: { url: https://claims.internal.example/r4, targets: [{ url: https://claims-1.internal.example/r4 }] }
routes:
  - id: patient
    path: /fhir
    zone: patient
    apiType: patient-access
    upstream: ehr
    tier: apps
    interactions: [read, search-type]
    clients: [app]
    registry: { owner: records, introduced: "2025-01-01", deprecated: "2026-01-01", retired: "2027-06-01" }
  - { id: staff, path: /staff, zone: internal, apiType: clinical, upstream: ehr, tier: apps, interactions: [read] }
  - id: partner
    path: /partner
    zone: partner
    apiType: prior-authorization
    upstream: claims
    tier: apps
    interactions: [create]
    types: [Claim]
    operations: [submit]
    redaction: billing
    backends: [{ types: [Coverage], upstream: ehr }]
  - { id: device, path: /device, zone: device, apiType: telemetry, upstream: ehr, tier: apps, interactions: [create], types: [Observation] }
tiers:
  apps: { windows: [{ name: apps, limit: 100, windowSeconds: 60, by: client }] }
  more: { windows: [{ name: more, limit: 900, windowSeconds: 60, by: client }] }
pools: { capacity: 10, pools: { telemetry: { reserved: 4 }, ordinary: { priority: 1 } } }
redaction: { profiles: { billing: { only: [Patient.name] } } }
redis: { url: "env:REDIS_URL" }
usage: { file: usage.jsonl, key: "env:USAGE_KEY" }
audit: { folder: audit }
`;

type Row = readonly [what: string, from: string, to: string, ...told: readonly string[]];

/** What is spoilt; the text and what stands in its place; what an operator is told, word for word. */
const ROWS: readonly Row[] = [
  ["another version of the format", "wardline: 1", "wardline: 2", "line 1, wardline: must be 1"],
  ["a text where a number belongs", "port: 8443", "port: many", "line 4, listen.port: must be a whole number"],
  ["a port no machine has", "port: 8443", "port: 84430", "line 4, listen.port: must be 65535 or less"],
  [
    "a misspelled key at the root",
    "\nredis:",
    "\nreddis:",
    "line 58, reddis: unknown key `reddis`, did you mean `redis`?",
  ],
  [
    "a key one level too high",
    "wardline: 1",
    "wardline: 1\ntls: { cert: edge.pem }",
    "line 2, tls: unknown key `tls` here; it belongs within `listen` or `admin`",
  ],
  [
    "a misspelled key of a route",
    "    tier: apps\n    interactions: [read, search-type]",
    "    teir: apps\n    interactions: [read, search-type]",
    "line 36, routes[0].teir: unknown key `teir`, did you mean `tier`?",
  ],
  [
    "a key nobody knows",
    "name: example",
    "name: example\ncolour: blue",
    "line 3, colour: unknown key `colour`, known keys are $schema, wardline, name, publicOrigin, development, payer, upstream, issuer, jwksUri, audience, issuers, upstreams, tiers, routes, signIn, listen, listeners, clientCertificateHeader, plaintext, admin, trustedProxies, cors, hosts, usage, apiDocuments, hostileInput, identity, abuse, clients, conditions, breakGlass, consent, devices, dpop, pageLinks, door, pools, bulkExport, redis, redaction, dlp, limits, audit",
  ],
  [
    "a needed key left out",
    "    apiType: patient-access\n",
    "",
    "line 31, routes[0]: `apiType` is missing; write a text",
  ],
  [
    "a public origin with a path",
    "publicOrigin: https://fhir.example.org",
    "publicOrigin: https://fhir.example.org/fhir",
    "line 3, publicOrigin: must be scheme, host and port without a path, `https://fhir.example.org`",
  ],
  [
    "a path with a slash at its end",
    "path: /fhir",
    "path: /fhir/",
    "line 32, routes[0].path: must be a path that begins with a slash and ends without one, `/fhir`",
  ],
  [
    "a name with a space",
    "  ehr: {",
    '  "the ehr": {',
    "line 28, upstreams.the ehr: must be a name of at most 64 letters, digits, `_` and `-` that begins with a letter",
  ],
  [
    "an empty list",
    "clients: [app]",
    "clients: []",
    "line 38, routes[0].clients: must have at least one entry; without any, leave the key out",
  ],
  [
    "a list that names one thing twice",
    "interactions: [read, search-type]",
    "interactions: [read, read]",
    "line 37, routes[0].interactions: names the same twice; write each once",
  ],
  [
    "a misspelled interaction",
    "[read, search-type]",
    "[read, serach-type]",
    "line 37, routes[0].interactions[1]: did you mean `search-type`?",
  ],
  ["a zone that does not exist", "zone: internal", "zone: intern", "line 40, routes[1].zone: did you mean `internal`?"],
  [
    "a day that is none",
    'retired: "2027-06-01"',
    'retired: "June 2027"',
    'line 39, routes[0].registry.retired: must be a day as text, `"2026-11-01"`',
  ],
  [
    "a choice with neither alternative",
    "redis: {",
    "abuse: off-please\nredis: {",
    "line 58, abuse: must be false, or an object of `key: value` members",
  ],
  [
    "a misspelled key within a choice",
    "redis: {",
    "abuse: { responces: {} }\nredis: {",
    "line 58, abuse.responces: unknown key `responces`, did you mean `responses`?",
  ],
  ["two keys of one name", "name: example", "name: example\nname: other", "line 3, (root): map keys must be unique"],
  [
    "text that is no YAML",
    "audit: { folder: audit }",
    "audit: { folder: audit",
    "line 61, (root): flow map in block collection must be sufficiently indented and end with a }",
  ],
  [
    "a short and a long form together",
    "\nissuers:",
    "\nissuer: https://id.example.org\nissuers:",
    "line 10, issuer: is short for one entry of `issuers`; write either",
  ],
  [
    "plain http for an issuer",
    "jwksUri: https:",
    "jwksUri: http:",
    "line 12, issuers[0].jwksUri: must be https (plain http needs `development: true`)",
  ],
  [
    "plain http for an upstream",
    "ehr: { url: https:",
    "ehr: { url: http:",
    "line 28, upstreams.ehr.url: must be https (plain http needs `development: true`)",
  ],
  [
    "a password in a URL",
    "https://ehr.internal",
    "https://user:pass@ehr.internal",
    "line 28, upstreams.ehr.url: must not hold a user name or password; leave them out",
  ],
  [
    "plain http that is not on loopback, under development",
    "publicOrigin: https://fhir",
    "development: true\npublicOrigin: http://fhir",
    "line 4, publicOrigin: plain http is for loopback addresses only; write https",
  ],
  [
    "development that listens everywhere",
    "listen: { port: 8443,",
    "development: true\nlisten: { host: 0.0.0.0, port: 8443,",
    "line 5, listen.host: `development` listens on loopback only; write 127.0.0.1, or remove `development`",
  ],
  [
    "a key in place of where it is",
    'cert: edge.pem, key: "file:edge.key" } }\nlisteners',
    'cert: edge.pem, key: "-----BEGIN PRIVATE KEY-----" } }\nlisteners',
    "line 4, listen.tls.key: must be where the secret is, `env:NAME` or `file:/path`, not the secret",
  ],
  [
    "a usage key in place of where it is",
    "env:USAGE_KEY",
    "c2VjcmV0LXNlY3JldC1zZWNyZXQ",
    "line 59, usage.key: must be where the secret is, `env:NAME` or `file:/path`, not the secret",
  ],
  [
    "one issuer twice",
    "issuers:\n",
    "issuers:\n  - { issuer: https://id.example.org }\n",
    "line 12, issuers[1].issuer: two entries for the issuer https://id.example.org; give one entry all audiences",
  ],
  [
    "whatever some keys signed, beside an issuer",
    "issuers:\n",
    'issuers:\n  - { issuer: "*", jwksUri: https://other.example.org/jwks }\n',
    "line 11, issuers[0].issuer: `*` means whatever the keys of `jwksUri` signed, so it needs `jwksUri` and must be the only issuer",
  ],
  [
    "one audience for several zones",
    "    algorithms: [ES256]",
    "    audience: [https://fhir.example.org]",
    "line 13, issuers[0].audience: a token for it would count in the patient and internal and partner and device zones alike; leave it out, and each route expects its own address",
  ],
  [
    "an algorithm that anybody can sign with",
    "[ES256]",
    "[HS256]",
    "line 13, issuers[0].algorithms[0]: did you mean `RS256`?",
  ],
  [
    "an upstream that does not exist",
    "    upstream: claims\n    tier",
    "    upstream: claim\n    tier",
    "line 45, routes[2].upstream: there is no upstream `claim`, did you mean `claims`?",
  ],
  [
    "a tier that does not exist",
    "tier: apps, interactions: [read] }",
    "tier: gold, interactions: [read] }",
    "line 40, routes[1].tier: there is no tier `gold`, known ones are apps, more",
  ],
  [
    "no tier where there are two",
    "    upstream: ehr\n    tier: apps\n",
    "    upstream: ehr\n",
    "line 31, routes[0].tier: name one of the tiers: apps, more",
  ],
  [
    "a redaction profile that does not exist",
    "redaction: billing",
    "redaction: biling",
    "line 50, routes[2].redaction: there is no redaction profile `biling`, did you mean `billing`?",
  ],
  [
    "a profile with the name of a preset",
    "profiles: { billing:",
    "profiles: { full:",
    "line 57, redaction.profiles.full: is the name of a preset; take another",
    "line 50, routes[2].redaction: there is no redaction profile `billing`, known ones are minimum-necessary, minimum-necessary/scheduling, minimum-necessary/billing, minimum-necessary/telemetry, minimum-necessary/directory, safe-harbor, 42cfr-part2, full",
  ],
  [
    "servers named twice over",
    "targets: [{ url: https://claims-1.internal.example/r4 }]",
    "targets: [{ url: https://claims-1.internal.example/r4 }], srv: _fhir._tcp.claims.example",
    "line 29, upstreams.claims: name its servers in `targets` or by `srv`, not both",
  ],
  [
    "a type R4 does not have",
    "types: [Claim]",
    "types: [Claims]",
    "line 48, routes[2].types[0]: `Claims` is no R4 resource type, did you mean `Claim`?",
  ],
  [
    "a type two systems answer for",
    "backends: [{ types: [Coverage], upstream: ehr }]",
    "backends: [{ types: [Coverage], upstream: ehr }, { types: [Coverage], upstream: claims }]",
    "line 51, routes[2].backends: two backends answer for `Coverage`",
  ],
  [
    "an operation with its sign",
    "operations: [submit]",
    "operations: [$submit]",
    "line 49, routes[2].operations[0]: write `submit` without the $",
  ],
  [
    "one route id twice",
    "id: staff",
    "id: patient",
    "line 40, routes[1].id: two routes have the id `patient`; give each its own",
  ],
  [
    "one path in two zones",
    "path: /staff",
    "path: /fhir",
    "line 40, routes[1].path: two routes have the path `/fhir`; a request must belong to one zone, so give each its own",
  ],
  [
    "a path that another route claims already",
    "path: /staff",
    "path: /fhir/Patient",
    "line 40, routes[1].path: a request under it is one of `/fhir` as well; move it beside that route, `/fhir-2`",
  ],
  [
    "a zone without a door",
    "zones: [patient, internal]",
    "zones: [patient]",
    "line 40, routes[1].zone: no listener has the internal zone; add it to a listener's `zones`",
  ],
  [
    "two doors in one place",
    "port: 8445",
    "port: 8446",
    "line 5, listeners: two listeners take 127.0.0.1:8446; give each its own port",
  ],
  [
    "a door for partners without an authority",
    ", clientCa: [partners.pem]",
    "",
    "line 6, listeners.partners.tls.clientCa: name the authorities whose client certificates count",
  ],
  [
    "a door for devices that does not insist on a certificate",
    "clientCa: [devices.pem] }",
    "clientCa: [devices.pem], clientCertificates: requested }",
    "line 7, listeners.devices.tls.clientCertificates: the device zone demands client certificates; write `required`, or give the zone a listener of its own",
  ],
  [
    "a door for partners without TLS",
    '  partners: { port: 8445, zones: [partner], tls: { cert: edge.pem, key: "file:edge.key", clientCa: [partners.pem] } }',
    "  partners: { port: 8445, zones: [partner] }",
    "line 6, listeners.partners.tls: the partner zone demands client certificates; give this listener `tls` with `clientCa`, or name the terminator in `trustedProxies` and its `clientCertificateHeader`",
  ],
  [
    "a range with bits behind its prefix",
    "trustedProxies: [10.0.0.0/24]",
    "trustedProxies: [10.0.0.7/24]",
    "line 9, trustedProxies[0]: `10.0.0.7/24` is no address and no CIDR range; write `10.20.0.0/16`, with nothing behind the prefix",
  ],
  [
    "everybody as a trusted proxy",
    "trustedProxies: [10.0.0.0/24]",
    "trustedProxies: [0.0.0.0/0]",
    "line 9, trustedProxies[0]: believes the forwarding headers of everybody; name the proxies' own addresses",
  ],
  [
    "devices that stand nowhere",
    "    addresses: [10.20.0.0/16]\n",
    "",
    "line 51, routes[3].addresses: name the networks its devices stand in, here or for every class in `devices`",
  ],
  [
    "a device that may do everything",
    "[system/Observation.c]",
    "[system/*.cruds]",
    "line 21, devices[0].scopes[0]: a device has a closed list of types; name them, as in `system/Observation.c`",
  ],
  [
    "a device that acts for a patient",
    "[system/Observation.c]",
    "[patient/Observation.c]",
    "line 21, devices[0].scopes[0]: a device acts for itself; write `system/Observation.c`",
  ],
  [
    "a device zone open to every type",
    ", interactions: [create], types: [Observation] }",
    ", interactions: [create] }",
    "line 52, routes[3].types: the device zone takes a closed list of types; name them, as in `types: [Observation]`",
  ],
  [
    "a device zone that does not check",
    "types: [Observation] }",
    'types: [Observation], schema: { resources: "off" } }',
    "line 52, routes[3].schema.resources: the device zone is strict; write `refuse`, or leave it out",
  ],
  [
    "a client that may change everything",
    "[patient/*.rs]",
    "[patient/*.cruds]",
    "line 15, clients[0].scopes[0]: `patient/*.cruds` may change every type; name the types, as in `patient/Observation.c`, and `patient/*.rs` to read",
  ],
  [
    "a scope that is none",
    "[patient/*.rs]",
    "[openid]",
    "line 15, clients[0].scopes[0]: `openid` is no SMART scope that can be enforced; write `patient/Observation.rs`",
  ],
  [
    "one client twice",
    "clientId: payer",
    "clientId: app",
    "line 16, clients[1].clientId: `app` is registered twice; give one entry all scopes",
  ],
  [
    "a client of a route that was never approved",
    "clients: [app]",
    "clients: [apps]",
    "line 38, routes[0].clients: there is no client `apps`, did you mean `app`?",
  ],
  [
    "client ids for devices",
    "types: [Observation] }",
    "types: [Observation], clients: [app] }",
    "line 52, routes[3].clients: devices have no client id; say in `devices` which of them may call",
  ],
  [
    "a condition on a route that does not exist",
    "routes: [partner]",
    "routes: [partners]",
    "line 26, conditions[1].on.routes: there is no route `partners`, did you mean `partner`?",
  ],
  [
    "a condition on a zone nothing lies in",
    "  - { id: staff, path: /staff, zone: internal, apiType: clinical, upstream: ehr, tier: apps, interactions: [read] }\n",
    "",
    "line 25, conditions[0].on.zones: no route lies in the internal zone; remove it, or add the route",
  ],
  [
    "a condition that withholds what nobody defined",
    "categories: [hiv]",
    "categories: [std]",
    "line 26, conditions[1].categories: there is no consent category `std`, known ones are hiv",
  ],
  [
    "a condition that withholds nothing",
    "effect: withhold, categories: [hiv]",
    "effect: withhold",
    "line 26, conditions[1].categories: belongs to `effect: withhold`, and only to it: which data stay behind",
  ],
  [
    "hours of no time zone",
    "America/Chicago",
    "America/Chikago",
    "line 25, conditions[0].when.hours.timeZone: `America/Chikago` is no IANA time zone; write `America/Chicago`",
  ],
  [
    "hours that never begin",
    'to: "18:00"',
    'to: "08:00"',
    "line 25, conditions[0].when.hours.to: ends when it begins; write two different times",
  ],
  [
    "one condition twice",
    "id: hiv-stays",
    "id: at-work",
    "line 26, conditions[1].id: two conditions have the id `at-work`; give each its own",
  ],
  [
    "less than twelve months' notice",
    'retired: "2027-06-01"',
    'retired: "2026-06-01"',
    "line 39, routes[0].registry.retired: retire it at least 12 months after `deprecated`",
  ],
  [
    "more reserved than there is",
    "reserved: 4",
    "reserved: 40",
    "line 56, pools.capacity: the pools reserve 40 of 10; reserve less or raise it",
  ],
  [
    "a document where a route is",
    "name: example",
    "name: example\napiDocuments: { title: FHIR, version: '1', documentPath: /fhir/openapi.json }",
    "line 3, apiDocuments.documentPath: lies within the route `patient`: give it a path outside the routes",
  ],
  [
    "a page in place of the document",
    "name: example",
    "name: example\napiDocuments: { title: FHIR, version: '1', pagePath: /openapi.json }",
    "line 3, apiDocuments.pagePath: give the page a path of its own, `/api.html`",
  ],
  [
    "a payer without its routes",
    "name: example",
    "name: example\npayer: true",
    "line 31, routes: a payer serves provider-access, payer-to-payer too (CMS-0057-F); add the routes or remove `payer`",
  ],
  [
    "a payer without figures",
    'usage: { file: usage.jsonl, key: "env:USAGE_KEY" }',
    "payer: true",
    "line 30, routes: a payer serves provider-access, payer-to-payer too (CMS-0057-F); add the routes or remove `payer`",
    "line 1, usage: a payer reports figures (CMS-0057-F): say where they are kept and how patients are hashed",
  ],
  [
    "a token that counts once, and for one holder",
    "operations: [submit]",
    "operations: [submit]\n    oneTimeTokens: true\n    bindToFirstHolder: true",
    "line 51, routes[2].bindToFirstHolder: a token that counts once has no second holder; leave one of the two out",
  ],
  [
    "holders of tokens that are none",
    "path: /device, zone: device,",
    "path: /device, zone: device, bindToFirstHolder: true,",
    "line 52, routes[3].bindToFirstHolder: devices have no tokens; leave it out",
  ],
  [
    "a member's operation that is not offered",
    "operations: [submit]",
    "operations: [submit]\n    memberOperations: { inquire: s }",
    "line 50, routes[2].memberOperations.inquire: name `inquire` in `operations`, too",
  ],
  [
    "a member's export",
    "operations: [submit]",
    "operations: [submit]\n    memberOperations: { export: s }",
    "line 50, routes[2].memberOperations.export: an export is judged by its types, not by a submission",
  ],
  [
    "an answer that goes on without its record",
    "audit: { folder: audit }",
    "audit: { folder: audit, onFailure: continue }",
    "line 60, audit.onFailure: `continue` goes with `durability: async`; a held answer cannot go on without its record",
  ],
  ["limits without a number", "limit: 100", "limit: 0", "line 54, tiers.apps.windows[0].limit: must be 1 or more"],
];

function toldOf(text: string): readonly string[] {
  try {
    parsePolicy(text, "policy.yaml");
    return [];
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.message
      .split("\n")
      .slice(1)
      .map((line) => line.trim());
  }
}

describe("broken policies", () => {
  it("have a good one to begin with", () => {
    expect(toldOf(GOOD)).toEqual([]);
  });

  it.each(ROWS)("F11: %s is refused, with line, path and what to write instead", (_what, from, to, ...told) => {
    expect(GOOD.split(from)).toHaveLength(2);
    expect(toldOf(GOOD.replace(from, to))).toEqual(told);
  });
});
