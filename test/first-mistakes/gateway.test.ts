import { checkPolicy } from "@wardline/gateway";
import { describe } from "vitest";
import { mistakesAtStart } from "./support.ts";

const policy = {
  wardline: 1,
  name: "edge",
  publicOrigin: "https://fhir.example.org",
  issuers: [{ issuer: "https://id.example.org", audience: ["https://fhir.example.org/fhir"] }],
  upstreams: { ehr: { url: "https://ehr.example.org/r4" } },
  tiers: { apps: { windows: [{ name: "apps", limit: 600, windowSeconds: 60, by: "client" }] } },
  audit: { folder: "audit" },
};
const route = {
  id: "p",
  path: "/fhir",
  zone: "patient",
  apiType: "patient-access",
  upstream: "ehr",
  interactions: ["read"],
  tier: "apps",
};
const check =
  (change: object, routeChange: object = {}) =>
  () =>
    checkPolicy({ ...policy, routes: [{ ...route, ...routeChange }], ...change });

describe("what stops the start, and what to write instead", () => {
  mistakesAtStart({
    "no policy": [() => checkPolicy({}), "issuer: name who issues the tokens: `issuer: https://...`"],
    "a misspelled key": [check({ route: [] }), "unknown key `route`, did you mean `routes`?"],
    "an http issuer": [
      check({ issuers: [{ issuer: "http://id.example.org", audience: ["a"] }] }),
      "must be https (plain http needs `development: true`)",
    ],
    "an unknown upstream": [check({}, { upstream: "her" }), "there is no upstream `her`, did you mean `ehr`?"],
    "an unknown tier": [check({}, { tier: "app" }), "there is no tier `app`, did you mean `apps`?"],
    "a misspelled zone": [check({}, { zone: "patients" }), "routes[0].zone: did you mean `patient`?"],
    "an interaction FHIR has not": [check({}, { interactions: ["search"] }), "must be one of read, vread"],
    "S4: every proxy trusted": [check({ trustedProxies: ["0.0.0.0/0"] }), "name the proxies' own addresses"],
    "a Redis of another scheme": [
      check({ redis: { url: "http://redis" } }),
      "must be `redis://`, `rediss://`, or where that URL is",
    ],
    "an origin with a path": [
      check({ publicOrigin: "https://fhir.example.org/fhir" }),
      "must be scheme, host and port without a path",
    ],
    "partners without certificates": [
      check({}, { zone: "partner" }),
      "give this listener `tls` with `clientCa`, or name the terminator",
    ],
  });
});
