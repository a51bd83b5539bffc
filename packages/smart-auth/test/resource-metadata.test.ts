import { ConfigurationError } from "@wardline/policy-types";
import { describe, expect, it } from "vitest";
import { type ProtectedResourceMetadataOptions, protectedResourceMetadata } from "../src/index.ts";
import { metadataUrl } from "../src/resource-metadata.ts";
import { createEdge } from "./support/edge.ts";
import { AUDIENCE } from "./support/issuer.ts";
import { ask, EXPRESS, listen } from "./support/servers.ts";

const GOOD: ProtectedResourceMetadataOptions = {
  resource: "https://fhir.example.org/fhir/r4/",
  authorizationServers: ["https://as.example"],
  scopesSupported: ["patient/*.rs"],
  dpopSigningAlgValuesSupported: [],
  tlsClientCertificateBoundAccessTokens: true,
};
const PATH = "/.well-known/oauth-protected-resource/fhir/r4";

describe.each(EXPRESS)("RFC 9728 on %s", (_name, express) => {
  async function app() {
    const made = express();
    made.use(protectedResourceMetadata(GOOD));
    made.use((_req, res) => void res.status(418).end());
    return listen(made);
  }

  it("publishes what tokens the resource takes, without empty lists", async () => {
    const answer = await ask(await app(), PATH);
    expect(answer.status).toBe(200);
    expect(answer.headers["content-type"]).toBe("application/json; charset=utf-8");
    expect(JSON.parse(answer.text)).toEqual({
      resource: "https://fhir.example.org/fhir/r4",
      authorization_servers: ["https://as.example"],
      scopes_supported: ["patient/*.rs"],
      tls_client_certificate_bound_access_tokens: true,
      bearer_methods_supported: ["header"],
    });
  });

  it("S7: answers at that path exactly", async () => {
    const origin = await app();
    for (const path of ["/.well-known/oauth-protected-resource", `${PATH}/`, `${PATH}/Patient`, `/x${PATH}`, "/"]) {
      expect((await ask(origin, path)).status).toBe(418);
    }
    expect((await ask(origin, PATH, { method: "POST" })).status).toBe(418);
    expect((await ask(origin, `${PATH}?a=b`, { method: "HEAD" })).status).toBe(200);
  });

  it("is named in every challenge when told so", async () => {
    const edge = await createEdge(express, { resourceMetadata: true, dpop: {} });
    const url = "https://fhir.example.org/.well-known/oauth-protected-resource/fhir";
    const answer = await edge.as(undefined, "/Patient/p1");
    expect([answer.status, answer.headers["www-authenticate"]]).toEqual([
      401,
      `Bearer realm="${AUDIENCE}", resource_metadata="${url}", DPoP algs="ES256 ES384 PS256", resource_metadata="${url}"`,
    ]);
    const narrow = await edge.as("patient/Observation.rs", "/Patient/p1");
    expect(narrow.headers["www-authenticate"]).toBe(
      `Bearer realm="${AUDIENCE}", error="insufficient_scope", scope="patient/Patient.r", resource_metadata="${url}"`,
    );
  });
});

it("the document's address is built by insertion", () => {
  expect(metadataUrl("https://h")).toBe("https://h/.well-known/oauth-protected-resource");
  expect(metadataUrl("https://h:8443/fhir/r4")).toBe("https://h:8443/.well-known/oauth-protected-resource/fhir/r4");
});

it.each<[string, object, string]>([
  ["http", { resource: "http://fhir.example.org" }, "resource"],
  ["a query", { resource: "https://fhir.example.org/?a" }, "resource"],
  ["a fragment", { resource: "https://fhir.example.org/#a" }, "resource"],
  ["no resource", { resource: undefined }, "resource"],
  ["a server over http", { authorizationServers: ["http://as.example"] }, "authorizationServers[0]"],
  ["a server in place of a list", { authorizationServers: "https://as.example" }, "authorizationServers"],
  ["a relative policy", { resourcePolicyUri: "/policy" }, "resourcePolicyUri"],
  ["a negative age", { maxAgeSeconds: -1 }, "maxAgeSeconds"],
  ["a misspelled key", { resourcename: "x" }, "resourcename"],
])("a document with %s stops the start-up", (_what, change, path) => {
  try {
    protectedResourceMetadata({ ...GOOD, ...change } as ProtectedResourceMetadataOptions);
    expect("it started").toBe(path);
  } catch (error) {
    const issues = error instanceof ConfigurationError ? error.issues : [];
    expect(issues.map((issue) => issue.path)).toEqual([path]);
  }
});
