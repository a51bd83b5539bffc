import { createRemoteJWKSet, decodeJwt, importJWK, jwtVerify } from "jose";
import * as client from "openid-client";
import { beforeAll, describe, expect, it } from "vitest";
import { INTROSPECTOR, OPAQUE_APP, PATIENT_APP, REDIRECT_URI, SYSTEM_APP } from "../src/apps.ts";
import { createOAuth, type OAuthServer } from "../src/oauth.ts";
import { sign } from "../src/signing-keys.ts";
import { signInAs } from "../src/smart-app.ts";
import { freePorts, listen } from "./support.ts";

const FHIR = "http://127.0.0.1:9/fhir";
const SCOPE = "openid fhirUser offline_access launch/patient patient/*.rs patient/Observation.rs?category=laboratory";

let issuer = "";
let server: OAuthServer;
beforeAll(async () => {
  const { oauth } = await freePorts();
  issuer = `http://127.0.0.1:${oauth}`;
  server = await createOAuth({
    issuer,
    fhirBase: FHIR,
    people: [
      { id: "example", name: "Peter" },
      { id: "f001", name: "Pieter" },
    ],
  });
  await listen(server.app, oauth);
});

describe("a patient's app (openid-client)", () => {
  it("gets an at+jwt for the patient who signed in, by code and PKCE", async () => {
    const config = await configure(PATIENT_APP, client.None());
    const tokens = await launchWith(config, { scope: SCOPE });

    expect(tokens["patient"]).toBe("f001");
    expect(tokens.scope?.split(" ").sort()).toEqual(SCOPE.split(" ").sort());
    expect(tokens.expires_in).toBe(3600);
    const { payload, protectedHeader } = await verify(tokens.access_token);
    expect(protectedHeader).toMatchObject({ typ: "at+jwt", alg: "ES256" });
    expect(payload).toMatchObject({
      iss: issuer,
      aud: FHIR,
      sub: "f001",
      client_id: PATIENT_APP,
      patient: "f001",
      fhirUser: `${FHIR}/Patient/f001`,
      scope: tokens.scope,
    });
    expect(payload.jti).toEqual(expect.any(String));
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(3600);
    expect(tokens.claims()).toMatchObject({ sub: "f001", fhirUser: `${FHIR}/Patient/f001`, aud: PATIENT_APP });
  });

  it("refreshes, and keeps the patient", async () => {
    const config = await configure(PATIENT_APP, client.None());
    const { refresh_token = "" } = await launchWith(config, { scope: SCOPE });
    const again = await client.refreshTokenGrant(config, refresh_token);
    expect([again["patient"], decodeJwt(again.access_token)["patient"]]).toEqual(["f001", "f001"]);
    expect(again.scope?.split(" ")).toContain("patient/*.rs");
  });

  it("is granted nothing of another kind of app", async () => {
    const config = await configure(PATIENT_APP, client.None());
    const tokens = await launchWith(config, { scope: "launch/patient patient/Patient.r system/*.rs whatever" });
    expect(tokens.scope?.split(" ").sort()).toEqual(["launch/patient", "patient/Patient.r"]);
  });

  it.each([
    ["no PKCE", {}],
    ["plain PKCE", { code_challenge: "a".repeat(43), code_challenge_method: "plain" }],
    ["a challenge without a method", { code_challenge: "a".repeat(43) }],
  ])("is refused with %s", async (_what, pkce) => {
    const config = await configure(PATIENT_APP, client.None());
    const url = client.buildAuthorizationUrl(config, { redirect_uri: REDIRECT_URI, scope: SCOPE, aud: FHIR, ...pkce });
    const answer = await fetch(url, { redirect: "manual" });
    const location = new URL(answer.headers.get("location") ?? "");
    expect([location.searchParams.get("error"), location.searchParams.get("code")]).toEqual(["invalid_request", null]);
  });

  it.each([
    ["no aud", undefined],
    ["another server's aud", "https://other.example/fhir"],
  ])("is refused with %s", async (_what, aud) => {
    const config = await configure(PATIENT_APP, client.None());
    const url = client.buildAuthorizationUrl(config, {
      redirect_uri: REDIRECT_URI,
      scope: SCOPE,
      code_challenge: await client.calculatePKCECodeChallenge(client.randomPKCECodeVerifier()),
      code_challenge_method: "S256",
      ...(aud === undefined ? {} : { aud }),
    });
    const answer = await fetch(url, { redirect: "manual" });
    expect(new URL(answer.headers.get("location") ?? "").searchParams.get("error")).toBe("invalid_request");
  });

  it("is named on the sign-in page with what it asks for, as text", async () => {
    const config = await configure(PATIENT_APP, client.None());
    const scope = "patient/Observation.rs?code=<script>alert(1)</script>";
    const page = await signInPage(config, scope);
    expect(page.status).toBe(200);
    expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
    const html = await page.text();
    expect(html).toContain("Patient app asks for:");
    expect(html).toContain("patient/Observation.rs?code=&#60;script&#62;");
    expect(html).not.toContain("<script");
  });

  it("cannot redeem a code without the right verifier", async () => {
    const config = await configure(PATIENT_APP, client.None());
    await expect(launchWith(config, { scope: SCOPE, verifier: client.randomPKCECodeVerifier() })).rejects.toMatchObject(
      {
        error: "invalid_grant",
      },
    );
  });

  it("learns that the user denied", async () => {
    const config = await configure(PATIENT_APP, client.None());
    await expect(launchWith(config, { scope: SCOPE, patient: "nobody" })).rejects.toMatchObject({
      error: "access_denied",
    });
  });
});

describe("a system app (openid-client, private_key_jwt)", () => {
  it("gets a short token of its own with an ES384 assertion", async () => {
    const config = await configureSystem();
    const tokens = await client.clientCredentialsGrant(config, { scope: "system/*.rs patient/*.rs" });
    expect([tokens.scope, tokens.expires_in, tokens["patient"]]).toEqual(["system/*.rs", 300, undefined]);
    const { payload } = await verify(tokens.access_token);
    expect(payload).toMatchObject({ sub: SYSTEM_APP, client_id: SYSTEM_APP, aud: FHIR, scope: "system/*.rs" });
    expect(payload).not.toHaveProperty("patient");
  });

  it.each<[string, (assertion: Record<string, unknown>) => Record<string, unknown>]>([
    ["lives longer than five minutes", (claims) => ({ ...claims, exp: Number(claims["iat"]) + 3600 })],
    ["is for another server", (claims) => ({ ...claims, aud: "https://other.example/token" })],
    ["has expired", (claims) => ({ ...claims, exp: Number(claims["iat"]) - 600 })],
    ["has no jti", (claims) => ({ ...claims, jti: undefined })],
  ])("is refused when its assertion %s", async (_what, spoil) => {
    const iat = Math.floor(Date.now() / 1000);
    const claims = {
      iss: SYSTEM_APP,
      sub: SYSTEM_APP,
      aud: `${issuer}/token`,
      jti: crypto.randomUUID(),
      iat,
      exp: iat + 60,
    };
    expect((await redeem(await sign(server.systemKey, "JWT", spoil(claims)))).status).toBe(401);
  });

  it("cannot use an assertion twice", async () => {
    const iat = Math.floor(Date.now() / 1000);
    const assertion = await sign(server.systemKey, "JWT", {
      iss: SYSTEM_APP,
      sub: SYSTEM_APP,
      aud: `${issuer}/token`,
      jti: crypto.randomUUID(),
      iat,
      exp: iat + 60,
    });
    expect([(await redeem(assertion)).status, (await redeem(assertion)).status]).toEqual([200, 401]);
  });
});

describe("introspection", () => {
  it("tells the edge what an opaque token means, launch patient included", async () => {
    const app = await configure(OPAQUE_APP, client.None());
    const { access_token } = await launchWith(app, { scope: SCOPE });
    expect(access_token.split(".")).toHaveLength(1);
    const edge = await configure(INTROSPECTOR, client.ClientSecretBasic(server.introspectorSecret));
    expect(await client.tokenIntrospection(edge, access_token)).toMatchObject({
      active: true,
      client_id: OPAQUE_APP,
      aud: FHIR,
      sub: "f001",
      patient: "f001",
      token_type: "Bearer",
    });
    expect(await client.tokenIntrospection(edge, "not-a-token")).toEqual({ active: false });
  });
});

it("the hand that signs for the tour signs like the server", async () => {
  const token = await server.signByHand({ iss: issuer, aud: "https://other.example" });
  const keys = createRemoteJWKSet(new URL(`${issuer}/jwks`));
  const { payload } = await jwtVerify(token, keys, { issuer, typ: "at+jwt" });
  expect(payload.aud).toBe("https://other.example");
});

it("shows nothing of itself when a sign-in was never begun", async () => {
  const answer = await fetch(`${issuer}/interaction/none`);
  const html = await answer.text();
  expect([answer.status, html.includes("Begin again in your app")]).toEqual([400, true]);
  expect(html).not.toMatch(/ at |node_modules|Session/);
});

it("publishes no private key", async () => {
  const { keys } = (await (await fetch(`${issuer}/jwks`)).json()) as { keys: Record<string, unknown>[] };
  expect(keys.map(({ kty }) => kty)).toEqual(["EC", "RSA"]);
  for (const key of keys) expect(key).not.toHaveProperty("d");
});

function configure(id: string, authentication: client.ClientAuth): Promise<client.Configuration> {
  return client.discovery(new URL(issuer), id, undefined, authentication, { execute: [client.allowInsecureRequests] });
}

async function configureSystem(): Promise<client.Configuration> {
  const key = (await importJWK(server.systemKey, "ES384")) as client.CryptoKey;
  return configure(SYSTEM_APP, client.PrivateKeyJwt({ key, kid: server.systemKey.kid ?? "" }));
}

async function launchWith(
  config: client.Configuration,
  { scope, patient = "f001", verifier }: { scope: string; patient?: string; verifier?: string },
): Promise<client.TokenEndpointResponse & client.TokenEndpointResponseHelpers> {
  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  const expectedState = client.randomState();
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: REDIRECT_URI,
    scope,
    aud: FHIR,
    state: expectedState,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: "S256",
  });
  const callback = await signInAs(patient, url);
  return client.authorizationCodeGrant(config, callback, {
    pkceCodeVerifier: verifier ?? pkceCodeVerifier,
    expectedState,
  });
}

/** As far as the page on which the user is asked. */
async function signInPage(config: client.Configuration, scope: string): Promise<Response> {
  const start = client.buildAuthorizationUrl(config, {
    redirect_uri: REDIRECT_URI,
    scope,
    aud: FHIR,
    code_challenge: await client.calculatePKCECodeChallenge(client.randomPKCECodeVerifier()),
    code_challenge_method: "S256",
  });
  const answer = await fetch(start, { redirect: "manual" });
  const cookie = answer.headers.getSetCookie().map((line) => line.split(";", 1)[0]);
  return fetch(new URL(answer.headers.get("location") ?? "", issuer), { headers: { cookie: cookie.join("; ") } });
}

function verify(token: string) {
  return jwtVerify(token, createRemoteJWKSet(new URL(`${issuer}/jwks`)), { issuer, audience: FHIR, typ: "at+jwt" });
}

function redeem(client_assertion: string): Promise<Response> {
  return fetch(`${issuer}/token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "client_credentials",
      scope: "system/*.rs",
      client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
      client_assertion,
    }),
  });
}
