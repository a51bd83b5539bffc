import type { Decision, Principal } from "@wardline/policy-types";
import fc from "fast-check";
import { CompactEncrypt, type CryptoKey, createLocalJWKSet, exportJWK, generateKeyPair, jwtVerify } from "jose";
import { beforeEach, describe, expect, it } from "vitest";
import { type Authenticator, createAuthenticator } from "../src/authenticate.ts";
import { createMemoryRevocationList, type IntrospectionOptions, type SmartIssuer } from "../src/index.ts";
import { parseOptions } from "../src/options.ts";
import { createProblems } from "../src/token-problems.ts";
import { createIntrospectingServer, type IntrospectingServer, type Saying } from "./support/introspection.ts";
import { AUDIENCE, claimsOf, createSigner, NOW, OTHER_SIGNER, SIGNER, sign } from "./support/issuer.ts";

const OPAQUE = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
const CHALLENGE = `Bearer realm="${AUDIENCE}", error="invalid_token"`;

let server: IntrospectingServer;
let clock: number;
let authenticate: Authenticator;

beforeEach(async () => {
  server = await createIntrospectingServer();
  clock = NOW * 1000;
  use();
});

function use(introspection: Partial<IntrospectionOptions> = {}, ...more: SmartIssuer[]): void {
  const settings = parseOptions({
    issuers: [server.issuer(introspection), ...more],
    baseUrl: AUDIENCE,
    development: true,
    now: () => clock,
  });
  authenticate = createAuthenticator(settings, createProblems(AUDIENCE));
}

const present = async (token = OPAQUE): Promise<Decision<Principal>> =>
  authenticate({
    rawHeaders: ["Authorization", `Bearer ${token}`],
    query: "",
    transport: {},
    method: "GET",
    uri: AUDIENCE,
  });

async function expectInvalid(token?: string): Promise<void> {
  const decision = await present(token);
  expect(decision.kind === "deny" && decision.problem).toMatchObject({
    code: "smart-auth/token-invalid",
    status: 401,
    headers: { "WWW-Authenticate": CHALLENGE },
  });
}

async function expectUnavailable(): Promise<void> {
  const decision = await present();
  expect(decision.kind === "deny" && decision.problem).toMatchObject({
    code: "smart-auth/introspection-unavailable",
    status: 503,
    headers: { "Retry-After": "2" },
  });
}

const say = (json: unknown, token = OPAQUE) => server.says.set(token, { json });

describe("an opaque token the authorisation server calls active", () => {
  it("tells who calls, with the SMART context of the answer", async () => {
    say(server.active({ fhirUser: "Patient/p1", encounter: "e1" }));
    const decision = await present();
    expect(decision.kind === "permit" && decision.grant).toMatchObject({
      method: "introspection",
      issuer: server.url,
      subject: "user-1",
      clientId: "app-1",
      fhirUser: "Patient/p1",
      launch: { patient: "p1", encounter: "e1" },
      scopes: ["patient/*.rs", "launch/patient"],
      expiresAt: NOW + 290,
    });
  });

  it("A14: is named by its jti, or else by its hash, never by itself", async () => {
    say(server.active({ jti: "t-1" }));
    const known = await present();
    expect(known.kind === "permit" && known.grant.tokenId).toBe("t-1");
    say(server.active({ jti: undefined }), "another-opaque-token");
    const unnamed = await present("another-opaque-token");
    const id = unnamed.kind === "permit" ? unnamed.grant.tokenId : undefined;
    expect(id).toMatch(/^urn:wardline:token-sha256:[0-9a-f]{32}$/);
    expect(JSON.stringify(unnamed)).not.toContain("another-opaque-token");
  });

  it("is asked about by form, with the secret as RFC 6749 section 2.3.1 encodes it", async () => {
    say(server.active());
    await present();
    const [asked] = server.asked;
    expect(Object.fromEntries(asked?.form ?? [])).toEqual({ token: OPAQUE, token_type_hint: "access_token" });
    expect(Buffer.from(asked?.authorization?.slice(6) ?? "", "base64").toString()).toBe("edge%3A1:s+p%2Fcret");
    expect(asked?.accept).toBe("application/json");
  });

  it("is asked about with an assertion for this issuer alone", async () => {
    const { privateKey, jwk } = await createSigner("ES384", "edge");
    for (const key of [privateKey, { ...jwk, ...(await crypto.subtle.exportKey("jwk", privateKey)), alg: "ES384" }]) {
      use({ authentication: { method: "private_key_jwt", key, alg: "ES384", kid: "edge" } });
      say(server.active());
      expect((await present()).kind).toBe("permit");
      const { form, authorization } = server.asked.at(-1) as (typeof server.asked)[0];
      expect(authorization).toBe(undefined);
      expect(form.get("client_id")).toBe("edge:1");
      const { payload } = await jwtVerify(form.get("client_assertion") ?? "", createLocalJWKSet({ keys: [jwk] }), {
        currentDate: new Date(clock),
        audience: server.url,
        issuer: "edge:1",
        subject: "edge:1",
        requiredClaims: ["jti", "exp"],
        typ: "JWT",
      });
      expect(payload.exp).toBe(NOW + 60);
    }
  });

  it("may be the client's own: nobody authorised it, and it speaks of nobody", async () => {
    say(server.active({ sub: undefined, patient: undefined, scope: "system/*.rs" }));
    const decision = await present();
    expect(decision.kind === "permit" && decision.grant.subject).toBe("app-1");
  });

  it("stands beside JWTs of the same issuer, which are verified here", async () => {
    const jwt = await sign(claimsOf(server.url), { alg: "ES256", kid: "k1", typ: "at+jwt" }, SIGNER.privateKey);
    expect((await present(jwt)).kind).toBe("permit");
    expect(server.asked).toEqual([]);
    say(server.active());
    expect((await present()).kind).toBe("permit");
    expect(server.asked.length).toBe(1);
  });
});

describe("the server says active, and yet not good here", () => {
  it.each<[string, Record<string, unknown>]>([
    ["another audience", { aud: "https://other.example" }],
    ["no audience, as of a refresh token", { aud: undefined }],
    ["an audience list with a number", { aud: [AUDIENCE, 1] }],
    ["another issuer", { iss: "https://elsewhere.example" }],
    ["an expiry in the past", { exp: NOW - 31, iat: NOW - 300 }],
    ["no expiry (SMART requires it)", { exp: undefined }],
    ["an expiry that is text", { exp: String(NOW + 100) }],
    ["a start in the future", { nbf: NOW + 31 }],
    ["a lifetime too long", { iat: NOW, exp: NOW + 3601 }],
    ["a lifetime too long, without iat", { iat: undefined, exp: NOW + 3601 }],
    ["no client_id", { client_id: undefined }],
    ["a patient's context, and nobody who authorised it", { sub: undefined }],
    ["a user's name, and nobody who authorised it", { sub: undefined, patient: undefined, username: "ann" }],
    ["a patient that is no bare id", { patient: "Patient/p1" }],
    ["a scope that is a list", { scope: ["patient/*.rs"] }],
    ["a jti that is empty", { jti: "" }],
    ["an unknown token type", { token_type: "mac" }],
    ["the type DPoP, without a key", { token_type: "DPoP" }],
    [
      "the type Bearer, with a key",
      { token_type: "Bearer", cnf: { jkt: "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" } },
    ],
    [
      "a key, sent as a bearer token",
      { token_type: "DPoP", cnf: { jkt: "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" } },
    ],
    ["a certificate, sent without", { cnf: { "x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2" } }],
    ["a confirmation method nobody checks", { cnf: { kid: "x" } }],
    ["authorization_details", { authorization_details: [] }],
  ])("for %s", async (_what, change) => {
    say(server.active(change));
    await expectInvalid();
  });

  it("for a token it does not know", () => expectInvalid("unknown"));

  it.each([["a b"], ["ä"], ["x,y"], ["=x"], ["x".repeat(8193)]])(
    "nor is a text asked about that is none",
    async (text) => {
      await expectInvalid(text);
      expect(server.asked).toEqual([]);
    },
  );
});

describe("F8: an authorisation server that does not say", () => {
  it.each<[string, Saying]>([
    ["500", { raw: { status: 500, body: "{}" } }],
    ["401, our secret being wrong", { raw: { status: 401, body: '{"error":"invalid_client"}' } }],
    ["active with 201", { raw: { status: 201, body: '{"active":true}' } }],
    ["no JSON", { raw: { body: "<html>" } }],
    ["JSON as text/html", { raw: { type: "text/html", body: '{"active":true}' } }],
    ["a list", { json: [true] }],
    ["nothing about active", { json: {} }],
    ['active: "true"', { json: { active: "true" } }],
    ["active: 1", { json: { active: 1 } }],
    ["null", { json: null }],
    ["an endless answer", { json: { active: true, padding: "x".repeat(300 * 1024) } }],
  ])("but answers %s is 503, and is asked again", async (_what, saying) => {
    server.says.set(OPAQUE, saying);
    await expectUnavailable();
    say(server.active());
    expect((await present()).kind).toBe("permit");
  });

  it("F1: is waited for two seconds", async () => {
    server.says.set(OPAQUE, "hangs");
    const before = performance.now();
    await expectUnavailable();
    expect(performance.now() - before).toBeGreaterThan(1900);
  });

  it("never turns anything but `active: true` into a permit", async () => {
    const anyAnswer = fc.oneof(fc.json(), fc.string(), fc.constantFrom('{"active":false}', '{"active":null}'));
    await fc.assert(
      fc.asyncProperty(anyAnswer, async (body) => {
        use();
        server.says.set(OPAQUE, { raw: { body } });
        expect((await present()).kind).toBe("deny");
      }),
      { numRuns: 40 },
    );
  });
});

describe("the memory of answers", () => {
  it("holds a yes for the configured time", async () => {
    say(server.active());
    await present();
    server.says.delete(OPAQUE);
    clock += 59_000;
    expect((await present()).kind).toBe("permit");
    clock += 1000;
    await expectInvalid();
  });

  it("never holds a yes beyond exp", async () => {
    use({ positiveTtlSeconds: 300 });
    say(server.active({ exp: NOW + 20 }));
    await present();
    server.says.delete(OPAQUE);
    clock += 19_000;
    expect((await present()).kind).toBe("permit");
    clock += 1000;
    await expectInvalid();
  });

  it("holds a no for a shorter time", async () => {
    await expectInvalid();
    say(server.active());
    clock += 9000;
    await expectInvalid();
    clock += 1000;
    expect((await present()).kind).toBe("permit");
  });

  it("holds nothing when told so", async () => {
    use({ positiveTtlSeconds: 0, negativeTtlSeconds: 0 });
    say(server.active());
    await present();
    server.says.delete(OPAQUE);
    await expectInvalid();
    say(server.active());
    expect((await present()).kind).toBe("permit");
  });

  it("asks once for many requests at once", async () => {
    let go = (): void => undefined;
    server.hold = new Promise((resolve) => {
      go = resolve;
    });
    say(server.active());
    const all = Promise.all(Array.from({ length: 20 }, () => present()));
    await expect.poll(() => server.asked.length).toBe(1);
    go();
    expect((await all).every(({ kind }) => kind === "permit")).toBe(true);
    expect(server.asked.length).toBe(1);
  });
});

it("S8: keeps nobody waiting behind more questions than it has room for", async () => {
  let go = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    go = resolve;
  });
  let asked = 0;
  const fetch = async () => {
    asked++;
    await held;
    return Response.json({ active: false });
  };
  const settings = parseOptions({
    issuers: [server.issuer()],
    baseUrl: AUDIENCE,
    development: true,
    now: () => clock,
    fetch,
  });
  authenticate = createAuthenticator(settings, createProblems(AUDIENCE));
  const waiting = Array.from({ length: 256 }, (_, at) => present(`token-${at}`));
  await expectUnavailable();
  expect(asked).toBe(256);
  go();
  // Whether they were told in time is a matter of the machine; that there is room again is not.
  await Promise.all(waiting);
  await present();
  expect(asked).toBe(257);
});

it("A10: a token that is remembered as active is refused once it is on the revocation list", async () => {
  const revocation = createMemoryRevocationList({ now: () => clock });
  const settings = parseOptions({
    issuers: [server.issuer()],
    baseUrl: AUDIENCE,
    development: true,
    now: () => clock,
    revocation,
  });
  authenticate = createAuthenticator(settings, createProblems(AUDIENCE));
  say(server.active());
  expect((await present()).kind).toBe("permit");
  revocation.revokeSubject(server.url, "user-1", NOW, NOW + 3600);
  await expectInvalid();
  expect(server.asked.length).toBe(1);
});

describe("a signed answer (RFC 9701)", () => {
  beforeEach(() => use({ expectSigned: true }));

  it("counts", async () => {
    server.says.set(OPAQUE, await server.signed(server.active()));
    expect((await present()).kind).toBe("permit");
    expect(server.asked[0]?.accept).toBe("application/token-introspection+jwt");
  });

  it("counts when it is for this client", async () => {
    server.says.set(OPAQUE, await server.signed(server.active(), { aud: ["edge:1"] }));
    expect((await present()).kind).toBe("permit");
  });

  it("says no as well", async () => {
    server.says.set(OPAQUE, await server.signed({ active: false }));
    await expectInvalid();
  });

  it.each<[string, Record<string, unknown>, object]>([
    ["another type", {}, { typ: "JWT" }],
    ["no type", {}, { typ: undefined }],
    ["the type of an access token", {}, { typ: "at+jwt" }],
    ["another issuer", { iss: "https://elsewhere.example" }, {}],
    ["another audience", { aud: "https://other.example" }, {}],
    ["no audience", { aud: undefined }, {}],
    ["an old issue time", { iat: NOW - 91 }, {}],
    ["no issue time", { iat: undefined }, {}],
    ["the look of an access token (sub)", { sub: "user-1" }, {}],
    ["the look of an access token (exp)", { exp: NOW + 60 }, {}],
    ["nothing inside", { token_introspection: undefined }, {}],
    ["an unknown key", {}, { kid: "nobody" }],
  ])("does not count with %s", async (_what, claims, header) => {
    server.says.set(OPAQUE, await server.signed(server.active(), claims, header));
    await expectUnavailable();
  });

  it("does not count when signed by somebody else", async () => {
    server.says.set(OPAQUE, await server.signed(server.active(), {}, {}, OTHER_SIGNER.privateKey));
    await expectUnavailable();
  });

  it("is not replaced by an unsigned one", async () => {
    say(server.active());
    await expectUnavailable();
  });

  it("is not read where none is expected", async () => {
    use();
    server.says.set(OPAQUE, await server.signed(server.active()));
    await expectUnavailable();
  });
});

describe("which issuer is asked", () => {
  const jwt = (iss: string) => sign(claimsOf(iss), { alg: "ES256", kid: "k1", typ: "at+jwt" }, SIGNER.privateKey);

  it("is the token's own for JWTs, with `always`: revoked there is revoked here", async () => {
    use({ always: true, positiveTtlSeconds: 0 });
    const token = await jwt(server.url);
    say(server.active(), token);
    expect((await present(token)).kind).toBe("permit");
    server.says.delete(token);
    await expectInvalid(token);
  });

  it("is nobody for a JWT of somebody unknown", async () => {
    use({ always: true });
    await expectInvalid(await jwt("https://elsewhere.example"));
    expect(server.asked).toEqual([]);
  });

  it("is not an issuer whose opaque tokens do not count", async () => {
    use({ opaque: false, always: true });
    say(server.active());
    await expectInvalid();
    expect(server.asked).toEqual([]);
  });
});

describe("RFC 9701: encrypted answers", () => {
  const ENC_TYPE = "application/token-introspection+jwt";
  async function pair(alg: string) {
    const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
    return { publicKey, key: await exportJWK(privateKey), cryptoKey: privateKey };
  }
  const encrypted = async (inner: Saying, publicKey: CryptoKey, header: object = {}): Promise<Saying> => {
    const { body } = (inner as { raw: { body: string } }).raw;
    const jwe = new CompactEncrypt(Buffer.from(body));
    jwe.setProtectedHeader({ alg: "ECDH-ES+A256KW", enc: "A256GCM", cty: "JWT", ...header });
    return { raw: { type: ENC_TYPE, body: await jwe.encrypt(publicKey) } };
  };

  it.each(["ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A256KW", "RSA-OAEP-256"] as const)("count under %s", async (alg) => {
    const { publicKey, key, cryptoKey } = await pair(alg);
    for (const one of [key, cryptoKey]) {
      use({ expectSigned: true, decryption: { key: one, alg } });
      server.says.set(OPAQUE, await encrypted(await server.signed(server.active()), publicKey, { alg }));
      expect((await present()).kind).toBe("permit");
    }
  });

  it("are no answers when they are not encrypted, to another key, otherwise, compressed, or signed by somebody else", async () => {
    const own = await pair("ECDH-ES+A256KW");
    const other = await pair("ECDH-ES+A256KW");
    const good = await server.signed(server.active());
    const says: Saying[] = [
      good,
      await encrypted(good, other.publicKey),
      await encrypted(good, own.publicKey, { alg: "ECDH-ES" }),
      await encrypted(good, own.publicKey, { enc: "A192GCM" }),
      await encrypted(await server.signed(server.active(), {}, { kid: "k1" }, OTHER_SIGNER.privateKey), own.publicKey),
      { raw: { type: ENC_TYPE, body: "a.b.c.d.e" } },
    ];
    for (const saying of says) {
      use({ expectSigned: true, decryption: { key: own.key, alg: "ECDH-ES+A256KW" } });
      server.says.set(OPAQUE, saying);
      await expectUnavailable();
    }
  });

  it.each<[string, object, string]>([
    ["without a signature", { expectSigned: false }, "needs-signed"],
    ["by an unknown algorithm", { decryption: { alg: "RSA1_5" } }, "unknown-value"],
    ["by an unknown content encryption", { decryption: { enc: ["none"] } }, "unknown-value"],
    ["with a public key", { decryption: { key: SIGNER.jwk } }, "not-a-key"],
    ["with a key of another kind", { decryption: { alg: "RSA-OAEP-256" } }, "not-for-alg"],
    ["with a misspelled key", { decryption: { keys: [] } }, "unknown-option"],
  ])("%s stop the start-up", async (_name, change, code) => {
    const { key } = await pair("ECDH-ES");
    const { decryption = {}, ...rest } = change as { decryption?: object };
    const build = () =>
      use({ expectSigned: true, ...rest, decryption: { key, alg: "ECDH-ES", ...decryption } as never });
    expect(build).toThrow(expect.objectContaining({ issues: [expect.objectContaining({ code })] }));
  });
});
