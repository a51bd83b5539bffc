import { generateKeyPairSync } from "node:crypto";
import type { Principal } from "@wardline/policy-types";
import { contextOf } from "@wardline/policy-types/express";
import { askPort, EXPRESS, listenOnPort } from "@wardline-tools/test-kit";
import type { Request, Response } from "express";
import { generateKeyPair, jwtVerify } from "jose";
import { describe, expect, it } from "vitest";
import { type IdentityOptions, identityHeaders, perimeter, setIdentityHeaders } from "../src/index.ts";

const PRINCIPAL: Principal = {
  method: "jwt",
  issuer: "https://as.example.org",
  subject: "user-7",
  clientId: "app-1",
  organisation: "Sankt Görans\r\nX-Evil: 1",
  fhirUser: "Practitioner/7",
  roles: ["nurse"],
  purposeOfUse: [],
  launch: {},
  scopes: [],
};

const PUBLIC = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey;

describe("identity for the upstream", () => {
  it("comes from the principal, and no value can end its line", async () => {
    const { write, names } = identityHeaders();
    expect(names).toEqual(["x-organization-id", "x-user-id", "x-client-id"]);
    expect(await write({ principal: PRINCIPAL, requestId: "r" })).toEqual({
      "x-organization-id": "Sankt%20G%C3%B6rans%0D%0AX-Evil%3A%201",
      "x-user-id": "Practitioner/7",
      "x-client-id": "app-1",
    });
    expect(await write({ requestId: "r" })).toEqual({});
  });

  it("under other names, or none", async () => {
    const { write } = identityHeaders({ headers: { organization: "X-Org", user: false, client: false } });
    expect(Object.keys(await write({ principal: PRINCIPAL, requestId: "r" }))).toEqual(["x-org"]);
  });

  it("as a token the upstream can verify, short-lived and of its own type", async () => {
    const { publicKey, privateKey } = await generateKeyPair("ES256");
    const now = (): number => Date.UTC(2026, 0, 1);
    const { write } = identityHeaders({
      token: { key: privateKey, algorithm: "ES256", keyId: "k1", issuer: "https://edge", audience: "https://hapi" },
      now,
    });
    const { "x-identity-token": token = "" } = await write({ principal: PRINCIPAL, requestId: "r-1" });
    const expected = { issuer: "https://edge", audience: "https://hapi", typ: "wardline-identity+jwt" };
    const { payload, protectedHeader } = await jwtVerify(token, publicKey, {
      ...expected,
      currentDate: new Date(now()),
    });
    expect(payload).toMatchObject({
      sub: "user-7",
      organization: PRINCIPAL.organisation,
      client_id: "app-1",
      jti: "r-1",
    });
    expect(protectedHeader.kid).toBe("k1");
    await expect(jwtVerify(token, publicKey, { ...expected, currentDate: new Date(now() + 61_000) })).rejects.toThrow(
      "exp",
    );
  });

  it.each<[string, object]>([
    ["a misspelled name", { header: {} }],
    ["a header that clients send", { headers: { user: "Authorization" } }],
    ["a header that proxies send", { headers: { user: "X-Forwarded-For" } }],
    ["a symmetric algorithm", { token: { key: new Uint8Array(32), algorithm: "HS256", issuer: "a", audience: "b" } }],
    ["no algorithm", { token: { key: new Uint8Array(32), algorithm: "none", issuer: "a", audience: "b" } }],
    [
      "a token that lives long",
      { token: { key: new Uint8Array(32), algorithm: "ES256", issuer: "a", audience: "b", lifetimeSeconds: 3600 } },
    ],
    ["a header that is no text", { headers: { user: 5 } }],
    ["headers that are none", { headers: "X-User" }],
    ["a token that is null", { token: null }],
    ["no key", { token: { algorithm: "ES256", issuer: "a", audience: "b" } }],
    ["a key that cannot sign", { token: { key: PUBLIC, algorithm: "ES256", issuer: "a", audience: "b" } }],
    [
      "a JWK that cannot sign",
      { token: { key: PUBLIC.export({ format: "jwk" }), algorithm: "ES256", issuer: "a", audience: "b" } },
    ],
    ["a clock that is none", { now: 5 }],
  ])("refuses %s", (_what, options) => expect(() => identityHeaders(options as IdentityOptions)).toThrow("mistake"));
});

describe.each(EXPRESS)("identity in this process, on %s", (_name, express) => {
  const serve = async (principal: Principal | undefined): Promise<number> => {
    const app = express();
    app.use(perimeter({ development: true, requestHeaders: ["X-User-Id"] }));
    app.use((req, _res, next) => {
      if (principal !== undefined) contextOf(req).principal = principal;
      next();
    });
    app.use(setIdentityHeaders());
    app.use((req: Request, res: Response) => void res.json({ headers: req.headers, raw: req.rawHeaders }));
    return listenOnPort(app);
  };
  const FORGED = ["Host", "fhir.example.org", "X-User-Id", "Practitioner/admin", "X-Organization-Id", "other"];

  it("S4: replaces what a client wrote, in every form", async () => {
    const { headers, raw } = JSON.parse((await askPort(await serve(PRINCIPAL), { headers: FORGED })).text) as {
      headers: Record<string, string>;
      raw: string[];
    };
    expect(headers["x-user-id"]).toBe("Practitioner/7");
    expect(raw.filter((text) => /admin|other/.test(text))).toEqual([]);
  });

  it("S4: without a principal there is no identity, whatever a client wrote", async () => {
    const { text } = await askPort(await serve(undefined), { headers: FORGED });
    expect(text).not.toMatch(/x-user-id|admin|other/i);
  });
});
