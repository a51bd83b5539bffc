import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Decision, Principal } from "@wardline/policy-types";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAuthenticator } from "../src/authenticate.ts";
import type { IntrospectionAuthentication } from "../src/index.ts";
import { parseOptions } from "../src/options.ts";
import { createProblems } from "../src/token-problems.ts";
import { createAuthority, issue, type TestCertificate } from "./support/certificates.ts";
import { AUDIENCE, claimsOf, NOW } from "./support/issuer.ts";

const AUTHORITY = createAuthority("Test CA");
const SERVER = issue(AUTHORITY, "Test CA", "server");
const CLIENT = issue(AUTHORITY, "Test CA", "edge");
const FOREIGN = createAuthority("Nobody's CA");

let server: Server;
let origin: string;
let form: URLSearchParams | undefined;
const seen: (string | undefined)[] = [];
let respond: { status: number; headers?: Record<string, string>; body?: string } | undefined;

beforeAll(async () => {
  const tls = { key: SERVER.keyPem, cert: SERVER.pem, ca: AUTHORITY.pem, requestCert: true, rejectUnauthorized: true };
  server = createServer(tls, (req, res) => {
    let text = "";
    req.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    req.once("end", () => {
      form = new URLSearchParams(text);
      seen.push((req.socket as TLSSocket).getPeerCertificate().subject?.CN?.toString());
      const { status, headers, body } = respond ?? {
        status: 200,
        body: JSON.stringify({ active: true, ...claimsOf(origin) }),
      };
      res.writeHead(status, { "content-type": "application/json", ...headers }).end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

async function present(certificate: TestCertificate, ca = AUTHORITY.pem): Promise<Decision<Principal>> {
  const authentication: IntrospectionAuthentication = {
    method: "tls_client_auth",
    cert: certificate.pem,
    key: certificate.keyPem,
    ca,
  };
  const settings = parseOptions({
    issuers: [
      {
        issuer: origin,
        audience: [AUDIENCE],
        introspection: { endpoint: `${origin}/introspect`, clientId: "edge:1", authentication },
      },
    ],
    baseUrl: AUDIENCE,
    now: () => NOW * 1000,
  });
  const rawHeaders = ["Authorization", "Bearer opaque-token"];
  const authenticate = createAuthenticator(settings, createProblems(AUDIENCE));
  return authenticate({ rawHeaders, query: "", transport: {}, method: "GET", uri: AUDIENCE });
}

const UNAVAILABLE = { kind: "deny", problem: { code: "smart-auth/introspection-unavailable", status: 503 } };

describe("RFC 8705 section 2: the authorisation server is asked under a client certificate", () => {
  it("which it sees, with the client's id and no secret", async () => {
    expect((await present(CLIENT)).kind).toBe("permit");
    expect(seen.at(-1)).toBe("edge");
    expect(Object.fromEntries(form ?? [])).toEqual({
      token: "opaque-token",
      token_type_hint: "access_token",
      client_id: "edge:1",
    });
  });

  it("F8: and says nothing to a certificate that nobody trusts, which is no answer", async () => {
    const before = seen.length;
    expect(await present(FOREIGN)).toMatchObject(UNAVAILABLE);
    expect(seen.length).toBe(before);
  });

  it("F8: and is not asked when it is somebody else", async () => {
    const before = seen.length;
    expect(await present(CLIENT, FOREIGN.pem)).toMatchObject(UNAVAILABLE);
    expect(seen.length).toBe(before);
  });

  it.each<[string, NonNullable<typeof respond>]>([
    ["an error", { status: 500, body: "{}" }],
    ["a redirect, which is not followed", { status: 307, headers: { location: "/elsewhere" } }],
    ["nothing", { status: 204 }],
    ["more than 256 KB", { status: 200, body: JSON.stringify({ active: true, padding: "x".repeat(300 * 1024) }) }],
  ])("S2: %s is no answer", async (_what, answer) => {
    respond = answer;
    const before = seen.length;
    expect(await present(CLIENT)).toMatchObject(UNAVAILABLE);
    expect(seen.length).toBe(before + 1);
    respond = undefined;
  });
});
