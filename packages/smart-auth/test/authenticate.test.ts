import type { Decision, Principal, Problem } from "@wardline/policy-types";
import { beforeEach, describe, expect, it } from "vitest";
import { type Authenticator, createAuthenticator } from "../src/authenticate.ts";
import { parseOptions } from "../src/options.ts";
import { createProblems } from "../src/token-problems.ts";
import {
  AUDIENCE,
  claimsOf,
  createIssuer,
  createSigner,
  NOW,
  OTHER_SIGNER,
  RSA_SIGNER,
  SIGNER,
  sign,
  type TestIssuer,
} from "./support/issuer.ts";

const REALM = 'Bearer realm="https://fhir.example.org/fhir"';
const CHALLENGES: Readonly<Record<string, { readonly status: number; readonly challenge: string }>> = {
  "smart-auth/credentials-missing": { status: 401, challenge: REALM },
  "smart-auth/credentials-malformed": { status: 400, challenge: `${REALM}, error="invalid_request"` },
  "smart-auth/token-invalid": { status: 401, challenge: `${REALM}, error="invalid_token"` },
};

let issuer: TestIssuer;
let clock: number;
let authenticate: Authenticator;

beforeEach(async () => {
  issuer = await createIssuer();
  clock = NOW * 1000;
  authenticate = authenticator();
});

function authenticator(policy: object = {}): Authenticator {
  const settings = parseOptions({
    issuers: [{ ...issuer.policy, ...policy }],
    baseUrl: AUDIENCE,
    development: true,
    now: () => clock,
  });
  return createAuthenticator(settings, createProblems(AUDIENCE));
}

async function present(value: string | undefined, query = ""): Promise<Decision<Principal>> {
  return authenticate({
    rawHeaders: value === undefined ? [] : ["Authorization", value],
    query,
    transport: {},
    method: "GET",
    uri: AUDIENCE,
  });
}

function expectDeny(decision: Decision<Principal>, code: string): Problem {
  expect(decision.kind).toBe("deny");
  const { problem } = decision as Extract<typeof decision, { kind: "deny" }>;
  const expected = CHALLENGES[code];
  expect(problem.code).toBe(code);
  expect(problem.status).toBe(expected?.status);
  expect(problem.headers).toEqual({ "WWW-Authenticate": expected?.challenge });
  return problem;
}

describe("a good token", () => {
  it("tells who calls, with what context and scopes", async () => {
    const decision = await present(`Bearer ${await issuer.token({ roles: ["nurse"], purpose_of_use: "TREAT" })}`);
    expect(decision.kind === "permit" && decision.grant).toMatchObject({
      method: "jwt",
      issuer: issuer.url,
      subject: "user-1",
      clientId: "app-1",
      launch: { patient: "p1" },
      scopes: ["patient/*.rs", "launch/patient"],
      roles: ["nurse"],
      purposeOfUse: ["TREAT"],
      tokenId: "token-1",
      expiresAt: NOW + 290,
    });
  });

  it.each([
    ["the scheme in lower case", {}, {}, "bearer"],
    ["several spaces after the scheme", {}, {}, "Bearer  "],
    ["an audience among others", { aud: ["https://other.example", AUDIENCE] }, {}, "Bearer"],
    ["the type as in the RFC's example", {}, { typ: "at+JWT" }, "Bearer"],
    ["the full media type", {}, { typ: "application/at+jwt" }, "Bearer"],
    ["an expiry within the leeway", { exp: NOW - 29, iat: NOW - 300 }, {}, "Bearer"],
    ["a clock ahead of ours within the leeway", { iat: NOW + 29, nbf: NOW + 29 }, {}, "Bearer"],
    ["the longest lifetime", { iat: NOW, exp: NOW + 3600 }, {}, "Bearer"],
  ])("passes with %s", async (_name, claims, header, scheme) => {
    expect((await present(`${scheme} ${await issuer.token(claims, header)}`)).kind).toBe("permit");
  });

  it("passes when signed with RSA", async () => {
    const token = await issuer.token({}, { alg: "RS256", kid: "rsa" }, RSA_SIGNER.privateKey);
    expect((await present(`Bearer ${token}`)).kind).toBe("permit");
  });

  it("passes without kid while one key fits", async () => {
    expect((await present(`Bearer ${await issuer.token({}, { kid: undefined })}`)).kind).toBe("permit");
  });

  it("costs one signature check, and is refused once it has expired", async () => {
    const token = await issuer.token();
    await present(`Bearer ${token}`);
    const again = await present(`Bearer ${token}`);
    expect(again.because).toEqual(["token verified before"]);
    clock = (NOW + 290 + 30) * 1000;
    expectDeny(await present(`Bearer ${token}`), "smart-auth/token-invalid");
  });
});

it("S1: refuses an issuer that is a list with the right name in it", async () => {
  const token = await issuer.token({ iss: [issuer.url] });
  expectDeny(await present(`Bearer ${token}`), "smart-auth/token-invalid");
});

describe("credentials", () => {
  it.each([
    ["no header", undefined],
    ["another scheme", "Basic dXNlcjpwYXNz"],
    ["the scheme of sender-constrained tokens", "DPoP abc"],
  ])("answers a bare challenge to %s", async (_name, value) => {
    expectDeny(await present(value), "smart-auth/credentials-missing");
  });

  it.each([
    ["the scheme alone", "Bearer", ""],
    ["the scheme and a space", "Bearer ", ""],
    ["a token in the URL", "Bearer x", "access_token=x"],
    ["a token in the URL, spelled otherwise", "Bearer x", "%61ccess_token=x"],
    ["a token in the URL only", undefined, "_id=1&access_token=x"],
  ])("answers 400 to %s", async (_name, value, query) => {
    expectDeny(await present(value, query), "smart-auth/credentials-malformed");
  });

  it("answers 400 to a good token sent twice", async () => {
    const value = `Bearer ${await issuer.token()}`;
    const decision = await authenticate({
      rawHeaders: ["Authorization", value, "authorization", value],
      query: "",
      transport: {},
      method: "GET",
      uri: AUDIENCE,
    });
    expectDeny(decision, "smart-auth/credentials-malformed");
  });
});

describe("S1: a token corrupted in one way", () => {
  const claims: readonly [name: string, change: Record<string, unknown>][] = [
    ["another issuer", { iss: "https://elsewhere.example" }],
    ["no issuer", { iss: undefined }],
    ["an issuer that is a list", { iss: [1] }],
    ["another audience", { aud: "https://other.example" }],
    ["an audience that only begins alike", { aud: `${AUDIENCE}/more` }],
    ["no audience", { aud: undefined }],
    ["an empty audience list", { aud: [] }],
    ["an audience list with a number in it", { aud: [AUDIENCE, 1] }],
    ["an expiry just beyond the leeway", { exp: NOW - 30, iat: NOW - 300 }],
    ["no expiry", { exp: undefined }],
    ["an expiry that is a string", { exp: String(NOW + 290) }],
    ["an issue time in the future", { iat: NOW + 31 }],
    ["no issue time", { iat: undefined }],
    ["a start in the future", { nbf: NOW + 31 }],
    ["a start that is no number", { nbf: "now" }],
    ["a lifetime too long", { iat: NOW, exp: NOW + 3601 }],
    ["no jti", { jti: undefined }],
    ["an empty jti", { jti: "" }],
    ["no sub", { sub: undefined }],
    ["a sub that is a number", { sub: 1 }],
    ["no client_id", { client_id: undefined }],
    ["a DPoP binding (RFC 9449)", { cnf: { jkt: "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" } }],
    ["a certificate binding (RFC 8705)", { cnf: { "x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2" } }],
    ["an empty binding", { cnf: null }],
    ["authorization_details (RFC 9396)", { authorization_details: [] }],
    ["a patient that is no bare id", { patient: "Patient/p1" }],
    ["a patient that is a list", { patient: ["p1"] }],
    ["an encounter with a slash", { encounter: "a/b" }],
    ["a fhirUser that is no text", { fhirUser: {} }],
    ["a scope that is a list", { scope: ["patient/*.rs"] }],
  ];
  it.each(claims)("is refused with %s", async (_name, change) => {
    expectDeny(await present(`Bearer ${await issuer.token(change)}`), "smart-auth/token-invalid");
  });

  const headers: readonly [name: string, change: Record<string, unknown>][] = [
    ["the type of an id_token", { typ: "JWT" }],
    ["no type", { typ: undefined }],
    ["the type of a proof", { typ: "dpop+jwt" }],
    ["the type of an introspection answer", { typ: "token-introspection+jwt" }],
    ["a kid the issuer does not have", { kid: "nobody" }],
    ["an endless kid", { kid: "k".repeat(300) }],
    ["its own key (jwk)", { jwk: SIGNER.jwk }],
    ["its own key set (jku)", { jku: "https://elsewhere.example/jwks" }],
    ["its own certificate (x5c)", { x5c: ["MIIB"] }],
    ["its own certificate address (x5u)", { x5u: "https://elsewhere.example/cert" }],
    ["compression", { zip: "DEF" }],
  ];
  it.each(headers)("is refused with %s", async (_name, change) => {
    expectDeny(await present(`Bearer ${await issuer.token({}, change)}`), "smart-auth/token-invalid");
  });

  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const spoil = (spoiled: (header: string, payload: string, signature: string) => string) => async () => {
    const [header = "", payload = "", signature = ""] = (await issuer.token()).split(".");
    return spoiled(header, payload, signature);
  };
  const texts: readonly [name: string, text: () => Promise<string>][] = [
    ["no signature (alg none)", spoil((_h, p) => `${part({ alg: "none", typ: "at+jwt" })}.${p}.`)],
    ["alg none and a signature", spoil((_h, p, s) => `${part({ alg: "none", typ: "at+jwt" })}.${p}.${s}`)],
    ["an empty signature", spoil((h, p) => `${h}.${p}.`)],
    ["another payload", spoil((h, _p, s) => `${h}.${part({ ...claimsOf(issuer.url), patient: "p2" })}.${s}`)],
    ["two parts", spoil((h, p) => `${h}.${p}`)],
    ["five parts, as a JWE", spoil((h, p, s) => `${h}.${p}.${s}.${s}.${s}`)],
    ["padding", spoil((h, p, s) => `${h}.${p}.${s}==`)],
    ["a space in the payload", spoil((h, p, s) => `${h}.${p.slice(0, 4)} ${p.slice(4)}.${s}`)],
    ["a newline-free tab in the signature", spoil((h, p, s) => `${h}.${p}.${s.slice(0, 4)}\t${s.slice(4)}`)],
    ["the other base64 alphabet", spoil((h, p, s) => `${h}.${p}.${s.slice(0, -2)}+/`)],
    ["stray trailing bits", spoil((h, p, s) => `${h}.${p}.${strayBits(s)}`)],
    ["a list of tokens", spoil((h, p, s) => `${h}.${p}.${s},${h}.${p}.${s}`)],
    ["more than 8 KiB", spoil((h, p, s) => `${h}.${p}${"A".repeat(8192)}.${s}`)],
    ["a claim twice", async () => signText(`{"a":1,${JSON.stringify(claimsOf(issuer.url)).slice(1, -1)},"a":2}`)],
    [
      "a claim twice, escaped",
      async () => signText(`{"j\\u0074i":"x",${JSON.stringify(claimsOf(issuer.url)).slice(1)}`),
    ],
    ["a payload that is a list", async () => signText("[]")],
    ["a payload that is no JSON", async () => signText("{")],
    ["a byte order mark", async () => signText(`\uFEFF${JSON.stringify(claimsOf(issuer.url))}`)],
  ];
  it.each(texts)("is refused with %s", async (_name, text) => {
    expectDeny(await present(`Bearer ${await text()}`), "smart-auth/token-invalid");
  });

  async function signText(text: string): Promise<string> {
    const input = `${part({ alg: "ES256", kid: "k1", typ: "at+jwt" })}.${Buffer.from(text).toString("base64url")}`;
    const { privateKey } = SIGNER;
    const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, privateKey, Buffer.from(input));
    return `${input}.${Buffer.from(signature).toString("base64url")}`;
  }

  it("is refused when signed by a key the issuer does not have", async () => {
    const token = await issuer.token({}, {}, OTHER_SIGNER.privateKey);
    expectDeny(await present(`Bearer ${token}`), "smart-auth/token-invalid");
  });

  it("is refused under HS256 with the public key as the secret", async () => {
    const secret = Buffer.from(JSON.stringify(RSA_SIGNER.jwk));
    const token = await sign(claimsOf(issuer.url), { alg: "HS256", kid: "rsa", typ: "at+jwt" }, secret);
    expectDeny(await present(`Bearer ${token}`), "smart-auth/token-invalid");
  });

  it("is refused under an algorithm the issuer may not use, though the key fits", async () => {
    authenticate = authenticator({ algorithms: ["RS256"] });
    expectDeny(await present(`Bearer ${await issuer.token()}`), "smart-auth/token-invalid");
  });

  it("is refused when its key belongs to another algorithm", async () => {
    const { alg: _, ...unbound } = RSA_SIGNER.jwk;
    issuer.keys = [{ ...unbound, alg: "PS256" }];
    const token = await issuer.token({}, { alg: "RS256", kid: "rsa" }, RSA_SIGNER.privateKey);
    expectDeny(await present(`Bearer ${token}`), "smart-auth/token-invalid");
  });

  it("is refused when two keys share its kid", async () => {
    issuer.keys = [SIGNER.jwk, { ...OTHER_SIGNER.jwk, kid: "k1" }];
    expectDeny(await present(`Bearer ${await issuer.token()}`), "smart-auth/token-invalid");
  });

  it.each([
    ["is for encryption", { use: "enc" }],
    ["may not verify", { key_ops: ["sign"] }],
    ["is private", { d: "AAAA" }],
  ])("is refused when its key %s", async (_name, change) => {
    issuer.keys = [{ ...SIGNER.jwk, ...change }];
    expectDeny(await present(`Bearer ${await issuer.token()}`), "smart-auth/token-invalid");
  });

  it("is refused with another issuer's key", async () => {
    const other = await createIssuer();
    const foreign = await createSigner("ES256", "k1");
    other.keys = [foreign.jwk];
    const token = await issuer.token({}, {}, foreign.privateKey);
    expectDeny(await present(`Bearer ${token}`), "smart-auth/token-invalid");
  });
});

describe("an issuer with legacy types", () => {
  beforeEach(() => {
    authenticate = authenticator({ allowLegacyTyp: true });
  });

  it.each([["JWT"], [undefined], ["at+jwt"]])("may send typ %s", async (typ) => {
    expect((await present(`Bearer ${await issuer.token({}, { typ })}`)).kind).toBe("permit");
  });

  it.each([
    ["a nonce", { nonce: "n" }],
    ["at_hash", { at_hash: "h" }],
    ["c_hash", { c_hash: "h" }],
    ["the type ID", { typ: "ID" }],
    ["no scope", { scope: undefined }],
    ["the client as its audience", { aud: [AUDIENCE, "app-1"] }],
  ])("may not send an id_token, told by %s", async (_name, change) => {
    expectDeny(await present(`Bearer ${await issuer.token(change, { typ: "JWT" })}`), "smart-auth/token-invalid");
  });
});

/** The same signature bytes, with a last character whose unused bits are not zero. */
function strayBits(signature: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  return signature.slice(0, -1) + (alphabet[alphabet.indexOf(signature.slice(-1)) + 1] ?? "_");
}
