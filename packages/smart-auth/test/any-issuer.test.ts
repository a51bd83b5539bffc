import type { Decision, Principal } from "@wardline/policy-types";
import { beforeEach, describe, expect, it } from "vitest";
import { type Authenticator, createAuthenticator } from "../src/authenticate.ts";
import { parseOptions } from "../src/options.ts";
import { createProblems } from "../src/token-problems.ts";
import { AUDIENCE, createIssuer, NOW, OTHER_SIGNER, type TestIssuer } from "./support/issuer.ts";

let issuer: TestIssuer;
let authenticate: Authenticator;

beforeEach(async () => {
  issuer = await createIssuer();
  authenticate = authenticator({});
});

function authenticator(more: object): Authenticator {
  const settings = parseOptions({
    issuers: [{ issuer: "*", audience: [AUDIENCE], jwksUri: `${issuer.url}/jwks` }],
    baseUrl: AUDIENCE,
    development: true,
    now: () => NOW * 1000,
    ...more,
  });
  return createAuthenticator(settings, createProblems(AUDIENCE));
}

async function present(token: string): Promise<Decision<Principal>> {
  const rawHeaders = ["Authorization", `Bearer ${token}`];
  return authenticate({ rawHeaders, query: "", transport: {}, method: "GET", uri: AUDIENCE });
}

async function expectInvalid(token: string, because: string): Promise<void> {
  expect(await present(token)).toMatchObject({
    kind: "deny",
    problem: { code: "smart-auth/token-invalid", status: 401 },
    because: [because],
  });
}

const ISS = "iss is not a configured issuer";

describe("a token of any issuer whose keys are ours", () => {
  it.each<[string, Record<string, unknown>, string]>([
    ["without an issuer", { iss: undefined }, ISS],
    ["of an issuer without a name", { iss: "" }, ISS],
    ["of an issuer that is a list", { iss: ["https://one.example"] }, ISS],
    ["of an issuer that is a number", { iss: 1 }, ISS],
    ["of an issuer with an endless name", { iss: "x".repeat(513) }, ISS],
    ["for another API", { aud: "https://elsewhere.example" }, "aud does not name this API"],
    ["that is over", { exp: NOW - 60 }, "token has expired"],
    ["that lives too long", { exp: NOW + 4000 }, "token lives longer than the issuer may grant"],
  ])("is refused %s", async (_what, claims, because) => {
    await expectInvalid(await issuer.token(claims), because);
  });

  it("is refused when another key signed it", async () => {
    await expectInvalid(await issuer.token({}, {}, OTHER_SIGNER.privateKey), "the signature is wrong");
  });

  it("is refused when it is an id_token", async () => {
    await expectInvalid(await issuer.token({}, { typ: "JWT" }), "typ is not at+jwt");
  });

  it("opaque tokens are nobody's", async () => {
    await expectInvalid("opaque-token", "no issuer answers for opaque tokens");
  });

  it.each(["https://one.example", "urn:two", "three", "*"])("counts, and its caller is of %s", async (iss) => {
    const decision = await present(await issuer.token({ iss }));
    expect(decision.kind === "permit" && decision.grant.issuer).toBe(iss);
  });

  it("S3: the same jti of two issuers is two tokens", async () => {
    authenticate = authenticator({ oneTimeTokens: true });
    for (const iss of ["https://one.example", "https://two.example"]) {
      const token = await issuer.token({ iss });
      expect([(await present(token)).kind, (await present(token)).kind]).toEqual(["permit", "deny"]);
    }
  });

  it("does not count where one issuer is named, whatever it calls itself", async () => {
    authenticate = authenticator({ issuers: [issuer.policy] });
    await expectInvalid(await issuer.token({ iss: "*" }), ISS);
    await expectInvalid(await issuer.token({ iss: "https://one.example" }), ISS);
  });
});
