import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ConfigurationError, PolicySource, SignInPolicy } from "@wardline/policy-types";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { checkPolicy } from "../src/policy/load.ts";
import { signInPlaces } from "../src/sign-in/places.ts";
import { readSignInClients } from "../src/state/sign-in-clients.ts";

const SIGN_IN: SignInPolicy = {
  upstream: "identity",
  path: "/oauth",
  endpoints: { token: "/token", authorization: "/authorize", jwks: "/jwks" },
  pages: ["/logo.png", "/login/*", "/authorize/*"],
  clients: [{ clientId: "backend", jwks: "backend.json" }],
};
const POLICY: PolicySource = {
  publicOrigin: "https://fhir.example.org",
  issuers: [{ issuer: "https://fhir.example.org/oauth" }],
  upstreams: {
    ehr: { url: "https://ehr.internal.example/r4" },
    identity: { url: "https://id.internal.example/oauth" },
  },
  tiers: {
    apps: { windows: [{ name: "apps", limit: 1, windowSeconds: 1, by: "client" }] },
    guesses: { windows: [{ name: "guesses", limit: 1, windowSeconds: 1, by: "address" }] },
  },
  routes: [
    {
      id: "fhir",
      path: "/fhir",
      zone: "patient",
      apiType: "patient-access",
      interactions: ["read"],
      upstream: "ehr",
      tier: "apps",
    },
  ],
};

function findings(signIn: Partial<SignInPolicy>, more: Partial<PolicySource> = {}): string[] {
  try {
    checkPolicy({ ...POLICY, signIn: { ...SIGN_IN, ...signIn }, ...more });
    return [];
  } catch (error) {
    return (error as ConfigurationError).issues.map(({ path, code }) => `${path} ${code}`);
  }
}

const smart = { tokenEndpoint: "https://id.example.org/token", capabilities: ["permission-v2"] };
const [issuer = { issuer: "" }] = POLICY.issuers ?? [];

describe("a policy with sign-in", () => {
  it("is good as it is, and with endpoints told as they are", () => {
    expect(findings({})).toEqual([]);
    const told = { ...smart, tokenEndpoint: "https://fhir.example.org/oauth/token" };
    expect(findings({ tier: "guesses" }, { issuers: [{ ...issuer, smart: told }] })).toEqual([]);
  });

  it.each<[string, Partial<SignInPolicy>, string, Partial<PolicySource>?]>([
    ["another issuer", { issuer: "https://else.example" }, "signIn.issuer unknown-name"],
    ["one of two issuers", {}, "signIn.issuer missing", { issuers: [issuer, { issuer: "https://b.example" }] }],
    ["every issuer", {}, "signIn.issuer ambiguous", { issuers: [{ issuer: "*", jwksUri: "https://a.example/jwks" }] }],
    ["endpoints told elsewhere", {}, "issuers[0].smart.tokenEndpoint elsewhere", { issuers: [{ ...issuer, smart }] }],
    ["no such upstream", { upstream: "identiti" }, "signIn.upstream unknown-name"],
    ["a path that is not the server's", { path: "/sso" }, "signIn.path mismatch"],
    ["a path within a route", { path: "/fhir" }, "signIn.path claimed-twice"],
    ["a path around a route", { path: "/fhir/oauth" }, "signIn.path claimed-twice"],
    ["the zone of devices", { zone: "device" }, "signIn.zone mismatch"],
    ["a zone without a door", { zone: "internal" }, "signIn.zone no-door", { listen: { zones: ["patient"] } }],
    [
      "two endpoints at one path",
      { endpoints: { token: "/a", authorization: "/A" } },
      "signIn.endpoints.authorization repeated",
    ],
    ["the token endpoint as a page", { pages: ["/Token"] }, "signIn.pages[0] too-wide"],
    [
      "a page around the token endpoint",
      { endpoints: { token: "/o/token" }, pages: ["/o/*"] },
      "signIn.pages[0] too-wide",
    ],
    [
      "a client twice",
      { clients: [...(SIGN_IN.clients ?? []), ...(SIGN_IN.clients ?? [])] },
      "signIn.clients[1].clientId repeated",
    ],
    ["a client without keys", { clients: [{ clientId: "a" }] }, "signIn.clients[0] ambiguous"],
    [
      "keys over plain http",
      { clients: [{ clientId: "a", jwksUri: "http://a.example/jwks" }] },
      "signIn.clients[0].jwksUri https",
    ],
    ["no such tier", { tier: "guess" }, "signIn.tier unknown-name"],
    ["a tier that limits no address", { tier: "apps" }, "signIn.tier too-weak"],
  ])("does not start with %s", (_what, signIn, finding, more) => {
    expect(findings(signIn, more)).toContain(finding);
  });

  it("does not start with proofs asked of all and keys of none", () => {
    const { clients: _none, ...rest } = SIGN_IN;
    const attempt = () => checkPolicy({ ...POLICY, signIn: { ...rest, assertions: "all" } });
    expect(attempt).toThrow("signIn.clients");
  });
});

describe("the paths of sign-in", () => {
  const places = signInPlaces(checkPolicy({ ...POLICY, signIn: { ...SIGN_IN, pages: ["/login/*"] } }).policy);

  it.each([
    ["/oauth/token", "token"],
    ["/oauth/authorize", "authorization"],
    ["/oauth/jwks", "other"],
    ["/oauth/login/1", "other"],
    ["/oauth/login/", undefined],
    ["/oauth/login", undefined],
    ["/oauth/Token", undefined],
    ["/oauth/token/", undefined],
    ["/oauth/%74oken", undefined],
    ["/oauth/jwks/", undefined],
    ["/oauthx/token", undefined],
    ["/token", undefined],
  ])("%s", (path, endpoint) => {
    expect(places?.endpointOf(path)).toBe(endpoint);
  });

  it("S6: nothing that a lenient server may take for a judged endpoint passes as something else", () => {
    const wide = signInPlaces({
      ...checkPolicy({ ...POLICY, signIn: SIGN_IN }).policy,
      signIn: { ...SIGN_IN, pages: ["/*", "/authorize/*"] },
    } as never);
    const spelled = (text: string) =>
      fc.tuple(
        fc.tuple(...text.split("").map((letter) => fc.constantFrom(letter, letter.toUpperCase(), escaped(letter)))),
        fc.constantFrom("", "/", "//"),
      );
    fc.assert(
      fc.property(spelled("token"), ([letters, end]) => {
        const path = `/oauth/${letters.join("")}${end}`;
        expect(places?.endpointOf(path)).toBe(path === "/oauth/token" ? "token" : undefined);
        expect(wide?.endpointOf(path)).toBe(path === "/oauth/token" ? "token" : undefined);
      }),
    );
  });
});

const escaped = (letter: string): string => `%${letter.charCodeAt(0).toString(16)}`;

describe("the keys of clients", () => {
  it("are read at start, and refused when they are none or are private", async () => {
    const folder = await mkdtemp(join(tmpdir(), "clients-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const jwks = join(folder, "keys.json");
    const { policy } = checkPolicy({ ...POLICY, signIn: { ...SIGN_IN, clients: [{ clientId: "a", jwks }] } });
    const outcome = async (text: string | undefined): Promise<string> => {
      if (text !== undefined) await writeFile(jwks, text);
      return readSignInClients(policy).then(
        () => "read",
        (error: unknown) => (error as ConfigurationError).issues.map(({ path, code }) => `${path} ${code}`).join(),
      );
    };
    const key = { kty: "EC", crv: "P-384", x: "a", y: "b" };
    expect(await outcome(undefined)).toBe("signIn.clients[0].jwks unusable");
    expect(await outcome("{")).toBe("signIn.clients[0].jwks unusable");
    expect(await outcome("{}")).toBe("signIn.clients[0].jwks not-a-key-set");
    expect(await outcome(JSON.stringify({ keys: [{ ...key, d: "c" }] }))).toBe("signIn.clients[0].jwks not-a-key-set");
    expect(await outcome(JSON.stringify({ keys: [key] }))).toBe("read");
  });
});
