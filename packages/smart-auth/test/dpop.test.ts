import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { normaliseHtu } from "../src/dpop/htu.ts";
import { isRecentNonce, nonceAt } from "../src/dpop/nonce.ts";
import { checkProof, type ProofFacts } from "../src/dpop/proof.ts";
import type { DpopOptions } from "../src/index.ts";
import { parseOptions } from "../src/options.ts";
import { createProofKey, KEY, OTHER_KEY, proofFor } from "./support/dpop.ts";
import { codeOf, createEdge, type Edge } from "./support/edge.ts";
import { AUDIENCE, NOW } from "./support/issuer.ts";
import { ask, EXPRESS, type RawAnswer } from "./support/servers.ts";

const ALGS = 'algs="ES256 ES384 PS256"';
const BOUND = { cnf: { jkt: KEY.jkt } };

interface Sent {
  readonly path?: string;
  readonly method?: string;
  readonly scheme?: string;
  readonly token?: string;
}

/** One request with these DPoP header fields. */
function send(edge: Edge, token: string, proofs: readonly string[], sent: Sent = {}): Promise<RawAnswer> {
  const { path = "/Patient/p1", method = "GET", scheme = "DPoP" } = sent;
  const headers = { authorization: `${scheme} ${token}`, ...(proofs.length === 0 ? {} : { dpop: proofs }) };
  return ask(edge.origin, `/fhir${path}`, { method, headers });
}

const told = (answer: RawAnswer) => [answer.status, codeOf(answer), answer.headers["www-authenticate"]];

describe.each(EXPRESS)("RFC 9449 on %s", (_name, express) => {
  let edge: Edge;
  let token: string;
  beforeEach(async () => {
    edge = await createEdge(express, { dpop: {} });
    token = await edge.issuer.token({ ...BOUND });
  });

  it("lets the holder of the key in", async () => {
    const answer = await send(edge, token, [await proofFor(token)]);
    expect(answer.status).toBe(200);
    expect(edge.context().principal?.confirmation).toEqual({ jkt: KEY.jkt });
  });

  it.each<[string, Record<string, unknown>, Sent]>([
    ["a query, which htu leaves out", {}, { path: "/Patient/p1?_format=json" }],
    ["a query in htu, which does not count", { htu: `${AUDIENCE}/Patient/p1?a=b#c` }, {}],
    ["another spelling of scheme and host", { htu: "HTTPS://FHIR.example.org:443/fhir/Patient/p1" }, {}],
    ["escapes of characters that need none", { htu: `${AUDIENCE}/%50atient/p1` }, {}],
    ["dot segments", { htu: `${AUDIENCE}/x/../Patient/p1` }, {}],
    ["the oldest proof", { iat: NOW - 60 }, {}],
    ["a clock ahead of ours", { iat: NOW + 5 }, {}],
    ["an exp and an nbf of a clock ahead of ours", { exp: NOW + 1, nbf: NOW + 5 }, {}],
    ["an exp of a clock behind ours", { exp: NOW - 4 }, {}],
    ["the scheme in lower case", {}, { scheme: "dpop" }],
    ["the method as sent, for HEAD", { htm: "HEAD" }, { method: "HEAD" }],
    ["the longest jti", { jti: "j".repeat(256) }, {}],
  ])("accepts %s", async (_what, claims, sent) => {
    expect((await send(edge, token, [await proofFor(token, claims)], sent)).status).toBe(200);
  });

  const corrupted: readonly [string, Record<string, unknown>, Record<string, unknown>][] = [
    ["3: no jti", { jti: undefined }, {}],
    ["3: an empty jti", { jti: "" }, {}],
    ["an endless jti", { jti: "j".repeat(257) }, {}],
    ["3: no htm", { htm: undefined }, {}],
    ["3: no htu", { htu: undefined }, {}],
    ["3: no iat", { iat: undefined }, {}],
    ["3: an iat that is text", { iat: String(NOW) }, {}],
    ["3: no ath", { ath: undefined }, {}],
    ["4: the type JWT", {}, { typ: "JWT" }],
    ["4: no type", {}, { typ: undefined }],
    ["4: the type of an access token", {}, { typ: "at+jwt" }],
    ["no jwk", {}, { jwk: undefined }],
    ["a jwk that is a list", {}, { jwk: [KEY.jwk] }],
    ["7: a private jwk", {}, { jwk: { ...KEY.jwk, d: "AAAA" } }],
    ["7: a symmetric jwk", {}, { jwk: { kty: "oct", k: "AAAA" } }],
    ["a jwk for encryption", {}, { jwk: { ...KEY.jwk, use: "enc" } }],
    ["a jwk for another algorithm", {}, { jwk: { ...KEY.jwk, alg: "ES384" } }],
    ["a point that is not on the curve", {}, { jwk: { ...KEY.jwk, x: OTHER_KEY.jwk.x } }],
    ["a jku beside the jwk", {}, { jku: "https://elsewhere.example/jwks" }],
    ["an x5c beside the jwk", {}, { x5c: ["MIIB"] }],
    ["8: another method", { htm: "POST" }, {}],
    ["8: the method in lower case", { htm: "get" }, {}],
    ["9: another resource", { htu: `${AUDIENCE}/Patient/p2` }, {}],
    ["9: another host", { htu: "https://elsewhere.example/fhir/Patient/p1" }, {}],
    ["9: another port", { htu: "https://fhir.example.org:8443/fhir/Patient/p1" }, {}],
    ["9: http", { htu: "http://fhir.example.org/fhir/Patient/p1" }, {}],
    ["9: a user in htu", { htu: "https://a@fhir.example.org/fhir/Patient/p1" }, {}],
    ["9: a relative htu", { htu: "/fhir/Patient/p1" }, {}],
    ["9: a backslash in htu", { htu: "https://fhir.example.org\\fhir/Patient/p1" }, {}],
    ["9: a slash more", { htu: `${AUDIENCE}/Patient/p1/` }, {}],
    ["9: another case of the path", { htu: `${AUDIENCE}/patient/p1` }, {}],
    ["11: too old a proof", { iat: NOW - 61 }, {}],
    ["11: a proof of the future", { iat: NOW + 6 }, {}],
    ["RFC 7519: an exp that has passed", { exp: NOW - 5 }, {}],
    ["RFC 7519: an exp that is text", { exp: String(NOW + 60) }, {}],
    ["RFC 7519: an nbf of the future", { nbf: NOW + 6 }, {}],
    ["RFC 7519: an nbf that is text", { nbf: String(NOW) }, {}],
    ["12: the hash of another token", { ath: "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo" }, {}],
  ];
  it.each(corrupted)("refuses a proof with %s", async (_what, claims, header) => {
    const answer = await send(edge, token, [await proofFor(token, claims, header)]);
    expect(told(answer)).toEqual([401, "smart-auth/proof-invalid", `DPoP error="invalid_dpop_proof", ${ALGS}`]);
  });

  const raw: readonly [string, () => Promise<string[]>][] = [
    ["1: no proof", async () => []],
    ["1: two proofs", async () => [await proofFor(token), await proofFor(token)]],
    ["1: two proofs in one header", async () => [`${await proofFor(token)}, ${await proofFor(token)}`]],
    ["2: no JWT", async () => ["proof"]],
    ["2: padding", async () => [`${await proofFor(token)}=`]],
    [
      "5: alg none",
      async () => [
        `${Buffer.from(JSON.stringify({ alg: "none", typ: "dpop+jwt", jwk: KEY.jwk })).toString("base64url")}.${(await proofFor(token)).split(".")[1]}.`,
      ],
    ],
    [
      "5: an HMAC keyed with the jwk",
      async () => [await proofFor(token, {}, { alg: "HS256" }, Buffer.from(JSON.stringify(KEY.jwk)))],
    ],
    ["6: the signature of another key", async () => [await proofFor(token, {}, {}, OTHER_KEY.privateKey)]],
    ["more than 8 KiB", async () => [await proofFor(token, { padding: "x".repeat(8192) })]],
  ];
  it.each(raw)("refuses %s", async (_what, proofs) => {
    const answer = await send(edge, token, await proofs());
    expect(told(answer)).toEqual([401, "smart-auth/proof-invalid", `DPoP error="invalid_dpop_proof", ${ALGS}`]);
  });

  it("5: refuses an algorithm that is not offered, though key and signature fit", async () => {
    const key = await createProofKey("ES512");
    const own = await edge.issuer.token({ cnf: { jkt: key.jkt } });
    const answer = await send(edge, own, [await proofFor(own, {}, { alg: "ES512", jwk: key.jwk }, key.privateKey)]);
    expect(told(answer)).toEqual([401, "smart-auth/proof-invalid", `DPoP error="invalid_dpop_proof", ${ALGS}`]);
  });

  it("13: refuses a good proof of another key", async () => {
    const proof = await proofFor(token, {}, { jwk: OTHER_KEY.jwk }, OTHER_KEY.privateKey);
    expect(told(await send(edge, token, [proof]))).toEqual([
      401,
      "smart-auth/token-invalid",
      `DPoP error="invalid_token", ${ALGS}`,
    ]);
  });

  it("refuses a proof it has seen, and takes a fresh one", async () => {
    const proof = await proofFor(token);
    expect((await send(edge, token, [proof])).status).toBe(200);
    expect(codeOf(await send(edge, token, [proof]))).toBe("smart-auth/proof-invalid");
    expect((await send(edge, token, [await proofFor(token)])).status).toBe(200);
  });

  it("lets one of many at once in, with one proof", async () => {
    const proof = await proofFor(token);
    const answers = await Promise.all(Array.from({ length: 10 }, () => send(edge, token, [proof])));
    expect(answers.filter(({ status }) => status === 200).length).toBe(1);
  });

  it("refuses a bound token as a bearer token, with and without proof", async () => {
    for (const proofs of [[], [await proofFor(token)]]) {
      expect(told(await send(edge, token, proofs, { scheme: "Bearer" }))).toEqual([
        401,
        "smart-auth/token-invalid",
        `Bearer realm="${AUDIENCE}", error="invalid_token", DPoP ${ALGS}`,
      ]);
    }
  });

  it("refuses a token that is not bound under the DPoP scheme", async () => {
    const bearer = await edge.issuer.token();
    expect(told(await send(edge, bearer, [await proofFor(bearer)]))).toEqual([
      401,
      "smart-auth/token-invalid",
      `DPoP error="invalid_token", ${ALGS}`,
    ]);
    expect((await send(edge, bearer, [], { scheme: "Bearer" })).status).toBe(200);
  });

  it("offers both schemes to a caller without token, and refuses both at once", async () => {
    const without = await ask(edge.origin, "/fhir/Patient/p1");
    const both = await ask(edge.origin, "/fhir/Patient/p1", {
      headers: { authorization: [`DPoP ${token}`, `Bearer ${token}`] },
    });
    expect(told(without)).toEqual([401, "smart-auth/credentials-missing", `Bearer realm="${AUDIENCE}", DPoP ${ALGS}`]);
    expect(told(both)).toEqual([
      400,
      "smart-auth/credentials-malformed",
      `Bearer realm="${AUDIENCE}", error="invalid_request", DPoP error="invalid_request", ${ALGS}`,
    ]);
  });

  it("names the scope that is missing under the scheme that was used", async () => {
    const narrow = await edge.issuer.token({ ...BOUND, scope: "patient/Observation.rs" });
    expect(told(await send(edge, narrow, [await proofFor(narrow)]))).toEqual([
      403,
      "smart-auth/scope-insufficient",
      `DPoP error="insufficient_scope", scope="patient/Patient.r", ${ALGS}`,
    ]);
  });

  it("does not know the scheme unless told to", async () => {
    const plain = await createEdge(express);
    const bound = await plain.issuer.token({ ...BOUND });
    expect(told(await send(plain, bound, [await proofFor(bound)]))).toEqual([
      401,
      "smart-auth/credentials-missing",
      `Bearer realm="${AUDIENCE}"`,
    ]);
  });

  it("gives a nonce, and then insists on it", async () => {
    const strict = await createEdge(express, { dpop: { nonceKey: Buffer.alloc(32, 7) } });
    const bound = await strict.issuer.token({ ...BOUND });
    const first = await send(strict, bound, [await proofFor(bound)]);
    expect(told(first)).toEqual([401, "smart-auth/proof-nonce-needed", `DPoP error="use_dpop_nonce", ${ALGS}`]);
    expect(first.headers["cache-control"]).toBe("no-store");
    const nonce = first.headers["dpop-nonce"];
    expect((await send(strict, bound, [await proofFor(bound, { nonce })])).status).toBe(200);
    for (const other of [undefined, `${String(nonce)}x`, 1, nonceAt(Buffer.alloc(32, 8), NOW)]) {
      const answer = await send(strict, bound, [await proofFor(bound, { nonce: other })]);
      expect([answer.status, codeOf(answer)]).toEqual([401, "smart-auth/proof-nonce-needed"]);
    }
  });

  it.each<[string, () => Promise<boolean>]>([
    ["fails", () => Promise.reject(new Error("down"))],
    ["is late", () => new Promise(() => undefined)],
    ["answers nonsense", () => Promise.resolve("yes" as unknown as boolean)],
  ])("S3: is closed while the replay store %s", async (_what, add) => {
    const closed = await createEdge(express, { dpop: {}, replayStore: { add } });
    const bound = await closed.issuer.token({ ...BOUND });
    const answer = await send(closed, bound, [await proofFor(bound)]);
    expect([answer.status, codeOf(answer)]).toEqual([503, "smart-auth/replay-store-unavailable"]);
    expect(answer.headers["retry-after"]).toBe("2");
  });
});

describe("the vector of RFC 9449", () => {
  const TOKEN = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
  const settings = parseDpopOptions({});
  const facts = async (jkt: string, header: object): Promise<ProofFacts> => ({
    proofs: [await proofFor(TOKEN, { ath: "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo" }, { ...header })],
    accessToken: TOKEN,
    jkt,
    method: "GET",
    uri: `${AUDIENCE}/Patient/p1`,
    now: NOW,
  });

  it("has our hash of the token", async () => {
    expect((await checkProof(await facts(KEY.jkt, {}), settings)).kind).toBe("good");
  });

  it("has our thumbprint of the key", async () => {
    const jwk = {
      kty: "EC",
      crv: "P-256",
      x: "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
      y: "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA",
    };
    // The key is theirs, so the signature cannot be: what matters is that the binding is found to be right.
    const verdict = await checkProof(await facts("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I", { jwk }), settings);
    expect(verdict).toEqual({ kind: "bad-proof", fault: "the proof's signature is wrong" });
  });
});

it("a proof is the same one under another spelling of the URI", async () => {
  const { algorithms, windowSeconds, futureSeconds } = parseDpopOptions({});
  const proofs = [await proofFor("token")];
  const verdicts = ["Patient/p1", "%50atient/p1", "x/../Patient/p1"].map((path) =>
    checkProof(
      { proofs, accessToken: "token", jkt: KEY.jkt, method: "GET", uri: `${AUDIENCE}/${path}`, now: NOW },
      { algorithms, windowSeconds, futureSeconds },
    ),
  );
  const keys = (await Promise.all(verdicts)).map((verdict) => (verdict.kind === "good" ? verdict.once : verdict.kind));
  expect(new Set(keys).size).toBe(1);
  expect(keys[0]).toMatch(/^[A-Za-z0-9_-]{43}$/);
});

it("S3: a proof is remembered for as long as an instance whose clock is behind as far as a client's may be ahead takes it", async () => {
  const settings = parseDpopOptions({ windowSeconds: 30, futureSeconds: 20 });
  const proofs = [await proofFor("token")];
  const facts = { proofs, accessToken: "token", jkt: KEY.jkt, method: "GET", uri: `${AUDIENCE}/Patient/p1` };
  const verdict = await checkProof({ ...facts, now: NOW }, settings);
  if (verdict.kind !== "good") throw new Error(verdict.fault);
  // The last moment at which the clock that is behind lets it in, told by the one it was remembered by.
  expect((await checkProof({ ...facts, now: NOW + 30 }, settings)).kind).toBe("good");
  expect((await checkProof({ ...facts, now: NOW + 31 }, settings)).kind).toBe("bad-proof");
  expect(verdict.until).toBeGreaterThan(NOW + 30 + 20);
});

it("a proof with one character changed is never good", async () => {
  const settings = parseDpopOptions({});
  const good = await proofFor("token");
  const facts = { accessToken: "token", jkt: KEY.jkt, method: "GET", uri: `${AUDIENCE}/Patient/p1`, now: NOW };
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.= ";
  const change = fc.record({ at: fc.nat(good.length - 1), to: fc.constantFrom(...alphabet.split("")) });
  await fc.assert(
    fc.asyncProperty(change, async ({ at, to }) => {
      fc.pre(good[at] !== to);
      const verdict = await checkProof({ ...facts, proofs: [good.slice(0, at) + to + good.slice(at + 1)] }, settings);
      expect(verdict.kind).not.toBe("good");
    }),
    { numRuns: 200 },
  );
});

describe("nonces", () => {
  const key = Buffer.alloc(32, 1);

  it("count for their time slice and the next, on every instance with the key", () => {
    const slice = Math.floor(NOW / 300) * 300;
    const nonce = nonceAt(key, slice);
    expect([-301, -300, 0, 299, 300, 599, 600].map((after) => isRecentNonce(nonce, key, slice + after))).toEqual([
      false,
      true,
      true,
      true,
      true,
      true,
      false,
    ]);
    expect(isRecentNonce(nonce, Buffer.alloc(32, 2), slice)).toBe(false);
  });

  it("cannot be guessed from text", () => {
    fc.assert(fc.property(fc.anything(), (nonce) => !isRecentNonce(nonce, key, NOW)));
  });
});

describe("normaliseHtu", () => {
  it("says the same of a URI and of its normal form, and never throws", () => {
    const uri = fc.oneof(fc.webUrl({ withQueryParameters: true, withFragments: true }), fc.string());
    fc.assert(
      fc.property(uri, (text) => {
        const normal = normaliseHtu(text);
        expect(normal === undefined || normaliseHtu(normal) === normal).toBe(true);
      }),
    );
  });
});

describe("the options", () => {
  it.each<[string, unknown, string]>([
    ["no object", null, "dpop not-an-object"],
    ["a misspelled key", { window: 1 }, "dpop.window unknown-option"],
    ["an HMAC", { algorithms: ["HS256"] }, "dpop.algorithms unknown-value"],
    ["no algorithm", { algorithms: [] }, "dpop.algorithms unknown-value"],
    ["an endless window", { windowSeconds: 301 }, "dpop.windowSeconds out-of-range"],
    ["a window of no number", { windowSeconds: Number.NaN }, "dpop.windowSeconds out-of-range"],
    ["too much future", { futureSeconds: 61 }, "dpop.futureSeconds out-of-range"],
    ["a short key", { nonceKey: Buffer.alloc(31) }, "dpop.nonceKey too-short"],
    ["a key that is text", { nonceKey: "x".repeat(32) }, "dpop.nonceKey too-short"],
    ["a key and no use for it", { nonceKey: Buffer.alloc(32), requireNonce: false }, "dpop.requireNonce contradiction"],
  ])("with %s stop the start-up", (_what, dpop, issue) => {
    expect(() => parseDpopOptions(dpop as DpopOptions)).toThrow(
      expect.objectContaining({ issues: expect.arrayContaining([issueOf(issue)]) as unknown }),
    );
  });

  it("make a nonce key of their own when one is required", () => {
    expect(parseDpopOptions({ requireNonce: true }).nonceKey?.length).toBe(32);
    expect(parseDpopOptions({}).nonceKey).toBe(undefined);
  });
});

function issueOf(text: string): unknown {
  const [path, code] = text.split(" ");
  return expect.objectContaining({ path, code });
}

function parseDpopOptions(dpop: DpopOptions) {
  const settings = parseOptions({
    issuers: [{ issuer: "https://as.example", audience: ["a"] }],
    baseUrl: AUDIENCE,
    dpop,
  });
  if (settings.dpop === undefined) throw new Error("no settings");
  return settings.dpop;
}
