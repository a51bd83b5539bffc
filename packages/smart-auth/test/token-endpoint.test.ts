import { ConfigurationError } from "@wardline/policy-types";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  assertedClientOf,
  type ClientAssertionFacts,
  createMemoryReplayStore,
  decideLegacyGrant,
  refuseLegacyGrants,
  requireClientAssertion,
  verifyClientAssertion,
} from "../src/index.ts";
import { createSigner, NOW, sign } from "./support/issuer.ts";
import { ask, EXPRESS, listen } from "./support/servers.ts";

const ENDPOINT = "https://as.example/token";
const CLIENT = await createSigner("ES384", "client-key");
const OTHER = await createSigner("ES384", "client-key");
const TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

const assertion = (claims: object = {}, header: object = {}, key: Parameters<typeof sign>[2] = CLIENT.privateKey) =>
  sign(
    { iss: "backend", sub: "backend", aud: ENDPOINT, exp: NOW + 300, jti: "j1", ...claims },
    { alg: "ES384", kid: "client-key", typ: "JWT", ...header },
    key,
  );

function verify(given: unknown, change: Partial<ClientAssertionFacts> = {}) {
  return verifyClientAssertion({
    assertionType: TYPE,
    assertion: given,
    audience: [ENDPOINT],
    replayStore: createMemoryReplayStore({ now: () => NOW * 1000 }),
    now: NOW,
    findClient: async (clientId) =>
      clientId === "backend"
        ? { clientId, jwks: { keys: [CLIENT.jwk] }, jwksUri: "https://backend.example/jwks" }
        : undefined,
    ...change,
  });
}

describe("a client assertion", () => {
  it("names the client that signed it", async () => {
    const verdict = await verify(await assertion({}, { jku: "https://backend.example/jwks" }), { clientId: "backend" });
    expect(verdict).toMatchObject({ kind: "good", client: { clientId: "backend" } });
  });

  it("S3: is remembered beyond its end, for instances whose clock is behind", async () => {
    let remembered = 0;
    const replayStore = {
      add: (_key: string, until: number) => {
        remembered = until;
        return Promise.resolve(true);
      },
    };
    expect((await verify(await assertion({ exp: NOW + 60 }), { replayStore })).kind).toBe("good");
    expect(remembered).toBe(NOW + 60 + 300);
  });

  it("counts once", async () => {
    const replayStore = createMemoryReplayStore({ now: () => NOW * 1000 });
    const text = await assertion();
    expect((await verify(text, { replayStore })).kind).toBe("good");
    expect(await verify(text, { replayStore })).toMatchObject({
      kind: "refused",
      error: "invalid_client",
      status: 401,
    });
    expect((await verify(await assertion({ jti: "j2" }), { replayStore })).kind).toBe("good");
  });

  it.each<[string, object, object, Partial<ClientAssertionFacts>]>([
    ["no kid", {}, { kid: undefined }, {}],
    ["an unknown kid", {}, { kid: "other" }, {}],
    ["no typ", {}, { typ: undefined }, {}],
    ["the typ of an access token", {}, { typ: "at+jwt" }, {}],
    ["another jku", {}, { jku: "https://elsewhere.example/jwks" }, {}],
    ["its own key", {}, { jwk: CLIENT.jwk }, {}],
    ["another subject", { sub: "other" }, {}, {}],
    ["no issuer", { iss: undefined, sub: undefined }, {}, {}],
    ["an unknown client", { iss: "other", sub: "other" }, {}, {}],
    ["another client_id", {}, {}, { clientId: "other" }],
    ["another audience", { aud: "https://elsewhere.example/token" }, {}, {}],
    ["no audience", { aud: undefined }, {}, {}],
    ["no exp", { exp: undefined }, {}, {}],
    ["an exp that has passed", { exp: NOW }, {}, {}],
    ["an exp more than five minutes away", { exp: NOW + 301 }, {}, {}],
    ["an nbf in the future", { nbf: NOW + 1 }, {}, {}],
    ["no jti", { jti: undefined }, {}, {}],
    ["an endless jti", { jti: "j".repeat(257) }, {}, {}],
    [
      "another type of assertion",
      {},
      {},
      { assertionType: "urn:ietf:params:oauth:client-assertion-type:saml2-bearer" },
    ],
    ["an algorithm that is not allowed", {}, {}, { algorithms: ["RS384"] }],
  ])("is refused with %s", async (_what, claims, header, change) => {
    const verdict = await verify(await assertion(claims, header), change);
    expect(verdict).toMatchObject({ kind: "refused", error: "invalid_client", status: 401 });
  });

  it("is refused when it is signed by somebody else, by none, or with the public key as a secret", async () => {
    const [, payload] = (await assertion()).split(".");
    const none = `${Buffer.from('{"alg":"none","kid":"client-key","typ":"JWT"}').toString("base64url")}.${payload}.`;
    const hmac = await assertion({}, { alg: "HS256" }, Buffer.from(JSON.stringify(CLIENT.jwk)));
    for (const text of [await assertion({}, {}, OTHER.privateKey), none, hmac, "", 1, undefined]) {
      expect((await verify(text)).kind).toBe("refused");
    }
  });

  it("is refused when two keys have its kid", async () => {
    const findClient = async (clientId: string) => ({ clientId, jwks: { keys: [CLIENT.jwk, OTHER.jwk] } });
    expect((await verify(await assertion(), { findClient })).kind).toBe("refused");
  });

  it("F8: is not good while a store is down", async () => {
    const down = () => Promise.reject(new Error("down"));
    expect((await verify(await assertion(), { replayStore: { add: down } })).kind).toBe("unavailable");
    expect((await verify(await assertion(), { findClient: down })).kind).toBe("unavailable");
    const late = { add: () => new Promise<boolean>(() => undefined) };
    expect((await verify(await assertion(), { replayStore: late })).kind).toBe("unavailable");
  });
});

const CODE = { response_type: "code", code_challenge: "c".repeat(43), code_challenge_method: "S256" };
const REDEEM = { grant_type: "authorization_code", code: "c", code_verifier: "v".repeat(43) };
const rows: readonly ["authorization" | "token", string, string, string | undefined][] = [
  ["authorization", "the code flow with S256", query(CODE), undefined],
  ["authorization", "two resources", `${query(CODE)}&resource=a&resource=b`, undefined],
  ["authorization", "the implicit grant", query({ ...CODE, response_type: "token" }), "unsupported_response_type"],
  ["authorization", "a hybrid", query({ ...CODE, response_type: "code id_token" }), "unsupported_response_type"],
  ["authorization", "no response_type", query({ code_challenge: "c".repeat(43) }), "unsupported_response_type"],
  ["authorization", "no PKCE", query({ response_type: "code" }), "invalid_request"],
  ["authorization", "plain PKCE", query({ ...CODE, code_challenge_method: "plain" }), "invalid_request"],
  [
    "authorization",
    "PKCE that would be plain",
    query({ response_type: "code", code_challenge: "c".repeat(43) }),
    "invalid_request",
  ],
  ["authorization", "a short challenge", query({ ...CODE, code_challenge: "c" }), "invalid_request"],
  ["authorization", "two response types", `${query(CODE)}&response_type=token`, "invalid_request"],
  ["authorization", "a request object", query({ ...CODE, request: "e30.e30." }), "request_not_supported"],
  [
    "authorization",
    "a request object elsewhere",
    query({ ...CODE, request_uri: "https://a" }),
    "request_not_supported",
  ],
  ["token", "a code with its verifier", query(REDEEM), undefined],
  ["token", "a refresh", query({ grant_type: "refresh_token" }), undefined],
  ["token", "client credentials", query({ grant_type: "client_credentials" }), undefined],
  ["token", "a password", query({ grant_type: "password", username: "a", password: "b" }), "unsupported_grant_type"],
  ["token", "the implicit grant", query({ grant_type: "implicit" }), "unsupported_grant_type"],
  ["token", "no grant", query({ code: "c" }), "invalid_request"],
  ["token", "a code without verifier", query({ ...REDEEM, code_verifier: "" }), "invalid_request"],
  ["authorization", "a list of response types", `${query(CODE)}&response_type[]=token`, "invalid_request"],
  ["token", "a list of grants", `${query(REDEEM)}&grant_type%5B0%5D=password`, "invalid_request"],
  ["token", "two grants", `${query(REDEEM)}&grant_type=password`, "invalid_request"],
  // A12: a server that reads names in any case, or "." and a space as "_", reads what is refused.
  ["authorization", "a request object in another case", query({ ...CODE, Request: "e30.e30." }), "invalid_request"],
  ["authorization", "a request object by a dot", query({ ...CODE, "request.uri": "https://a" }), "invalid_request"],
  ["authorization", "plain PKCE in another case", `${query(CODE)}&Code_Challenge_Method=plain`, "invalid_request"],
  ["authorization", "plain PKCE by a dot", `${query(CODE)}&code_challenge.method=plain`, "invalid_request"],
  ["authorization", "plain PKCE by a space", `${query(CODE)}&+code+challenge_method=plain`, "invalid_request"],
  ["authorization", "two redirects in two cases", `${query(CODE)}&redirect_uri=a&Redirect_URI=b`, "invalid_request"],
  ["authorization", "an own parameter of the server", query({ ...CODE, sessionToken: "s", "x.y": "z" }), undefined],
  ["token", "a password in another case", `${query(REDEEM)}&GRANT_TYPE=password`, "invalid_request"],
  ["token", "a grant in another case only", query({ Grant_Type: "refresh_token" }), "invalid_request"],
];

describe.each(EXPRESS)("refuseLegacyGrants on %s", (_name, express) => {
  async function app(endpoint: "authorization" | "token") {
    const made = express();
    made.use("/oauth", refuseLegacyGrants(endpoint), (req, res) => void res.status(299).json(req.body ?? null));
    return listen(made);
  }

  it.each(rows)("at the %s endpoint: %s", async (endpoint, _what, parameters, error) => {
    const origin = await app(endpoint);
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const byPost = await ask(origin, "/oauth", { method: "POST", headers, body: parameters });
    const answers = [byPost, ...(endpoint === "authorization" ? [await ask(origin, `/oauth?${parameters}`)] : [])];
    for (const answer of answers) {
      const body = JSON.parse(answer.text) as { error?: string } | null;
      expect([answer.status, body?.error]).toEqual(error === undefined ? [299, undefined] : [400, error]);
      if (error !== undefined) expect(answer.headers["cache-control"]).toBe("no-store");
    }
  });

  it("sees what is in the URL and in the form together", async () => {
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const question = { method: "POST", headers, body: query(REDEEM) };
    expect((await ask(await app("token"), "/oauth?grant_type=password", question)).status).toBe(400);
  });

  it.each<["authorization" | "token", string, string, number]>([
    ["authorization", "plain PKCE", `${query(CODE)}&state=x;code_challenge_method=plain`, 400],
    ["authorization", "a request object", `${query(CODE)}&state=x;request=e30.e30.`, 400],
    ["authorization", "another redirect", `${query(CODE)}&redirect_uri=a&state=x;redirect_uri=b`, 400],
    ["authorization", "nothing that is judged", `${query(CODE)}&state=x;y`, 299],
    ["authorization", "nothing, as it is encoded", `${query(CODE)}&state=x%3Brequest%3De30.e30.`, 299],
    ["token", "a password", `${query(REDEEM)};grant_type=password`, 400],
    ["token", "another client", `${query(REDEEM)}&client_id=app;client_id=backend`, 400],
  ])("A12: at the %s endpoint, behind a semicolon: %s", async (endpoint, _what, parameters, status) => {
    const origin = await app(endpoint);
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    expect((await ask(origin, "/oauth", { method: "POST", headers, body: parameters })).status).toBe(status);
    if (endpoint === "authorization") expect((await ask(origin, `/oauth?${parameters}`)).status).toBe(status);
  });

  it("refuses a body it cannot read, and a long one", async () => {
    const origin = await app("token");
    const json = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(REDEEM) };
    expect((await ask(origin, "/oauth", json)).status).toBe(400);
    const long = { "content-type": "application/x-www-form-urlencoded" };
    expect((await ask(origin, "/oauth", { method: "POST", headers: long, body: "a".repeat(70_000) })).status).toBe(413);
  });
});

it("no parameter added to a refused request makes it pass", () => {
  const refused = rows.filter(([, , , error]) => error !== undefined);
  fc.assert(
    fc.property(fc.constantFrom(...refused), fc.string(), fc.string(), ([endpoint, , text], name, value) => {
      const isMissingOne = new URLSearchParams(text).get(name) === null && REPAIRS.has(name);
      fc.pre(!isMissingOne);
      const parameters = new URLSearchParams(text);
      parameters.append(name, value);
      expect(decideLegacyGrant(endpoint, parameters)).toBeDefined();
    }),
  );
});

const REPAIRS = new Set(["response_type", "code_challenge", "code_challenge_method", "grant_type", "code_verifier"]);

function query(parameters: Record<string, string>): string {
  return new URLSearchParams(parameters).toString();
}

describe.each(EXPRESS)("requireClientAssertion on %s", (_name, express) => {
  async function endpoint(change: object = {}) {
    const app = express();
    const reached: string[] = [];
    app.post(
      "/token",
      requireClientAssertion({
        audience: [ENDPOINT],
        replayStore: createMemoryReplayStore({ now: () => NOW * 1000 }),
        now: () => NOW * 1000,
        findClient: async (clientId) =>
          clientId === "backend" ? { clientId, jwks: { keys: [CLIENT.jwk] } } : undefined,
        ...change,
      }),
      (req, res) => {
        reached.push(assertedClientOf(req).clientId);
        res.json({ access_token: "t" });
      },
    );
    const origin = await listen(app);
    const post = async (form: Record<string, string> | string, headers: Record<string, string> = {}) => {
      const body = typeof form === "string" ? form : new URLSearchParams(form).toString();
      const type = { "content-type": "application/x-www-form-urlencoded" };
      const answer = await ask(origin, "/token", { method: "POST", headers: { ...type, ...headers }, body });
      return [answer.status, (JSON.parse(answer.text) as { error?: string }).error, answer.headers["cache-control"]];
    };
    return { post, reached };
  }
  const form = async (claims: object = {}) => ({
    grant_type: "client_credentials",
    client_assertion_type: TYPE,
    client_assertion: await assertion(claims),
  });
  const REFUSED = [401, "invalid_client", "no-store"];

  it("refuses whoever has not proved who it is", async () => {
    const { post, reached } = await endpoint();
    expect(await post({ grant_type: "client_credentials" })).toEqual(REFUSED);
    expect(await post(await form({ aud: "https://elsewhere.example" }))).toEqual(REFUSED);
    expect(await post({ ...(await form()), client_id: "other" })).toEqual(REFUSED);
    expect(await post({ ...(await form()), client_secret: "x" })).toEqual([400, "invalid_request", "no-store"]);
    expect(await post(await form(), { authorization: "Basic eDp5" })).toEqual([400, "invalid_request", "no-store"]);
    const twice = `${new URLSearchParams(await form()).toString()}&client_assertion=x`;
    expect(await post(twice)).toEqual([400, "invalid_request", "no-store"]);
    expect(reached).toEqual([]);
  });

  it("lets a client through once per assertion, and names it", async () => {
    const { post, reached } = await endpoint();
    const given = await form();
    expect((await post(given))[0]).toBe(200);
    expect(await post(given)).toEqual(REFUSED);
    expect(reached).toEqual(["backend"]);
  });

  it("S3: is closed while the registry or the store does not answer", async () => {
    const { post, reached } = await endpoint({ findClient: () => Promise.reject(new Error("down")) });
    expect(await post(await form())).toEqual([503, "temporarily_unavailable", "no-store"]);
    expect(reached).toEqual([]);
  });

  it("stops the start-up when it cannot be meant, and says so when it is missing", () => {
    expect(() => requireClientAssertion({ audience: [] } as never)).toThrow(ConfigurationError);
    expect(() => assertedClientOf({} as never)).toThrow("mount requireClientAssertion()");
  });
});
