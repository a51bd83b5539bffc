import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { ConfigurationError } from "@wardline/policy-types";
import { contextOf } from "@wardline/policy-types/express";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  authorizationServerMetadata,
  clientRegistry,
  createMemoryReplayStore,
  findAssertedClient,
  requireClientAssertion,
} from "../src/index.ts";
import { createSigner, NOW, sign } from "./support/issuer.ts";
import { ask, EXPRESS, listen } from "./support/servers.ts";

const ENDPOINT = "https://as.example/token";
const CLIENT = await createSigner("ES384", "client-key");
const NEXT = await createSigner("ES384", "next-key");
const TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

let serial = 0;
const asserting = async (clientId: string, signer = CLIENT): Promise<Record<string, string>> => ({
  grant_type: "client_credentials",
  client_assertion_type: TYPE,
  client_assertion: await sign(
    { iss: clientId, sub: clientId, aud: ENDPOINT, exp: NOW + 300, jti: `j${++serial}` },
    { alg: "ES384", kid: signer.jwk.kid, typ: "JWT" },
    signer.privateKey,
  ),
});
const basic = (user: string): string => `Basic ${Buffer.from(`${user}:secret`).toString("base64")}`;

describe.each(EXPRESS)("requireClientAssertion with others: pass, on %s", (_name, express) => {
  async function endpoint(findClient = clientRegistry({ clients: [{ clientId: "back end", jwks: keys(CLIENT) }] })) {
    const app = express();
    const seen: (string | undefined)[] = [];
    app.post(
      "/token",
      requireClientAssertion({
        audience: [ENDPOINT],
        replayStore: createMemoryReplayStore({ now: () => NOW * 1000 }),
        now: () => NOW * 1000,
        findClient,
        others: "pass",
      }),
      (req, res) => {
        seen.push(findAssertedClient(req)?.clientId);
        res.json({ decisions: contextOf(req).decisions.map(({ kind }) => kind) });
      },
    );
    const origin = await listen(app);
    const post = async (form: Record<string, string> | string, headers: Record<string, string> = {}) => {
      const type = { "content-type": "application/x-www-form-urlencoded" };
      const body = typeof form === "string" ? form : new URLSearchParams(form).toString();
      const answer = await ask(origin, "/token", { method: "POST", headers: { ...type, ...headers }, body });
      const { error = "passed" } = JSON.parse(answer.text) as { error?: string };
      return [answer.status, error, answer.headers["www-authenticate"]];
    };
    return { post, seen };
  }
  const PASSED = [200, "passed", undefined];
  const UNPROVED = [401, "invalid_client", undefined];
  const BASIC = [401, "invalid_client", 'Basic realm="token endpoint"'];
  const AMBIGUOUS = [400, "invalid_request", undefined];
  const redeem = { grant_type: "authorization_code", code: "c" };

  it("lets an app without keys pass, by its id or with a secret, and a client with keys by its assertion", async () => {
    const { post, seen } = await endpoint();
    expect(await post({ ...redeem, client_id: "app" })).toEqual(PASSED);
    expect(await post(redeem, { authorization: basic("app") })).toEqual(PASSED);
    expect(await post({ ...redeem, client_id: "app", client_secret: "s" })).toEqual(PASSED);
    expect(await post(await asserting("back end"))).toEqual(PASSED);
    expect(seen).toEqual([undefined, undefined, undefined, "back end"]);
  });

  it("SMART 2.2: refuses a client with keys that comes without them, however it is named", async () => {
    const { post, seen } = await endpoint();
    expect(await post({ ...redeem, client_id: "back end" })).toEqual(UNPROVED);
    expect(await post({ ...redeem, client_id: "back end", client_secret: "s" })).toEqual(UNPROVED);
    expect(await post(redeem, { authorization: basic("back end") })).toEqual(BASIC);
    expect(await post(redeem, { authorization: basic("back%20end") })).toEqual(BASIC);
    expect(await post(redeem, { authorization: basic("back+end") })).toEqual(BASIC);
    expect(seen).toEqual([]);
  });

  it("refuses whoever asks for itself without keys, and whoever names nobody, two, or one in two ways", async () => {
    const { post, seen } = await endpoint();
    expect(await post({ grant_type: "client_credentials", client_id: "app" })).toEqual(UNPROVED);
    expect(await post({ grant_type: "client_credentials" }, { authorization: basic("app") })).toEqual(BASIC);
    expect(await post(redeem)).toEqual(UNPROVED);
    expect(await post({ ...redeem, client_id: "app" }, { authorization: basic("back end") })).toEqual(AMBIGUOUS);
    expect(await post("grant_type=refresh_token&client_id=app&client_id=back%20end")).toEqual(AMBIGUOUS);
    expect(await post({ ...redeem, client_id: "app" }, { authorization: "Bearer t" })).toEqual(AMBIGUOUS);
    expect(await post(await asserting("back end"), { authorization: basic("back end") })).toEqual(AMBIGUOUS);
    expect(await post(await asserting("stranger"))).toEqual(UNPROVED);
    expect(await post({ ...redeem, client_id: "app", client_assertion_type: TYPE })).toEqual(UNPROVED);
    expect(seen).toEqual([]);
  });

  it.each(["Client_Assertion", "client.assertion", "client assertion", " client_assertion", "client_assertion[]"])(
    "A12: refuses an assertion spelled %j, which a lenient server takes unverified",
    async (name) => {
      const { post, seen } = await endpoint();
      const { client_assertion: text = "", client_assertion_type: type = "" } = await asserting("back end");
      const form = { ...redeem, client_id: "app", [name]: text, Client_Assertion_Type: type };
      expect(await post(form)).toEqual(AMBIGUOUS);
      expect(await post({ ...redeem, client_id: "app", [name]: text })).toEqual(AMBIGUOUS);
      expect(await post({ ...redeem, client_id: "app", Client_ID: "back end" })).toEqual(AMBIGUOUS);
      expect(seen).toEqual([]);
    },
  );

  it("A12: refuses a client and an assertion behind a semicolon, at which a lenient server parts parameters", async () => {
    const { post, seen } = await endpoint();
    const { client_assertion: text = "" } = await asserting("back end");
    expect(await post("grant_type=refresh_token&client_id=app;client_id=back%20end")).toEqual(AMBIGUOUS);
    expect(await post("grant_type=refresh_token&x=y;client_id=back%20end", { authorization: basic("app") })).toEqual(
      AMBIGUOUS,
    );
    expect(await post(`grant_type=refresh_token&client_id=app&x=y;client_assertion=${text}`)).toEqual(AMBIGUOUS);
    expect(await post("grant_type=refresh_token&client_id=app&client_secret=a;b")).toEqual(PASSED);
    expect(seen).toEqual([undefined]);
  });

  it("F8: lets nobody pass while the registry does not answer", async () => {
    const { post } = await endpoint(() => Promise.reject(new Error("down")));
    expect(await post({ ...redeem, client_id: "app" })).toEqual([503, "temporarily_unavailable", undefined]);
  });
});

const keys = (...signers: readonly (typeof CLIENT)[]) => ({ keys: signers.map(({ jwk }) => jwk) });

describe("clientRegistry", () => {
  async function published(cacheControl: string, ...held: readonly (typeof CLIENT)[]) {
    const state = { held, fetched: 0, status: 200 };
    const server = createServer((_req, res) => {
      state.fetched++;
      res.writeHead(state.status, { "cache-control": cacheControl }).end(JSON.stringify(keys(...state.held)));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    let now = NOW * 1000;
    const find = clientRegistry({
      clients: [{ clientId: "backend", jwksUri: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks` }],
      development: true,
      now: () => now,
    });
    const kindOf = async ({ jwk }: typeof CLIENT) =>
      (await (await find("backend"))?.findKey?.({ alg: "ES384", kid: jwk.kid ?? "" }))?.kind;
    return { state, find, kindOf, later: (seconds: number) => (now += seconds * 1000) };
  }

  it("fetches a client's keys once, and again for a key that is not among them", async () => {
    const { state, kindOf, later, find } = await published("", CLIENT);
    expect([await kindOf(CLIENT), await kindOf(CLIENT), state.fetched]).toEqual(["found", "found", 1]);
    state.held = [NEXT];
    later(31);
    expect([await kindOf(NEXT), await kindOf(CLIENT), state.fetched]).toEqual(["found", "unknown", 2]);
    expect(await find("stranger")).toBeUndefined();
  });

  it("SMART 2.2: keeps keys no longer than Cache-Control says, not through an outage either", async () => {
    const { state, kindOf, later } = await published("public, max-age=60", CLIENT);
    expect(await kindOf(CLIENT)).toBe("found");
    later(59);
    state.status = 500;
    expect(await kindOf(CLIENT)).toBe("found");
    later(2);
    expect(await kindOf(CLIENT)).toBe("unavailable");
    state.status = 200;
    later(2);
    expect([await kindOf(CLIENT), state.fetched]).toEqual(["found", 3]);
  });

  it("stops the start-up with all that is wrong", () => {
    const jwks = keys(CLIENT);
    const wrong = [
      { clientId: "a", jwks },
      { clientId: "a", jwks },
      { clientId: "b" },
      { clientId: "c", jwks, jwksUri: "https://c.example/jwks" },
      { clientId: "d", jwksUri: "http://d.example/jwks" },
      { clientId: "e", jwks: { keys: [{ ...CLIENT.jwk, d: "private" }] } },
    ];
    const codes = (() => {
      try {
        clientRegistry({ clients: wrong });
        return [];
      } catch (error) {
        return (error as ConfigurationError).issues.map(({ path, code }) => `${path} ${code}`);
      }
    })();
    expect(codes).toEqual([
      "clients[1].clientId repeated",
      "clients[2] ambiguous",
      "clients[3] ambiguous",
      "clients[4].jwksUri not-https",
      "clients[5].jwks not-a-key-set",
    ]);
  });
});

describe.each(EXPRESS)("authorizationServerMetadata on %s", (_name, express) => {
  it("RFC 8414 section 3.1: stands between host and path, and offers nothing that is refused", async () => {
    const app = express();
    app.use(
      authorizationServerMetadata({
        issuer: "https://fhir.example/oauth",
        authorizationEndpoint: "https://fhir.example/oauth/authorize",
        tokenEndpoint: "https://fhir.example/oauth/token",
        jwksUri: "https://fhir.example/oauth/jwks",
        protectedResources: [],
      }),
    );
    const origin = await listen(app);
    const answer = await ask(origin, "/.well-known/oauth-authorization-server/oauth");
    expect(answer.headers["content-type"]).toContain("application/json");
    expect(JSON.parse(answer.text)).toEqual({
      issuer: "https://fhir.example/oauth",
      authorization_endpoint: "https://fhir.example/oauth/authorize",
      token_endpoint: "https://fhir.example/oauth/token",
      jwks_uri: "https://fhir.example/oauth/jwks",
      response_types_supported: ["code"],
      grant_types_supported: ["authorization_code", "refresh_token", "client_credentials"],
      code_challenge_methods_supported: ["S256"],
    });
    expect((await ask(origin, "/.well-known/oauth-authorization-server")).status).toBe(404);
  });

  it("does not start with a URL that is not https", () => {
    const wrong = () =>
      authorizationServerMetadata({ issuer: "https://a.example", tokenEndpoint: "http://a.example/token" });
    expect(wrong).toThrow(ConfigurationError);
  });
});
