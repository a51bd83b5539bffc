import type { ServerResponse } from "node:http";
import { requireControls } from "@wardline/policy-types/express";
import { type SmartAuthOptions, smartAuth } from "@wardline/smart-auth";
import { ask, freePort, listen } from "@wardline-tools/test-kit";
import type { Express } from "express";
import { exportJWK, generateKeyPair } from "jose";
import { describe, expect, it } from "vitest";
import { adviceOn, BASE_URL, mistakesAtStart, onExpress, open, signToken, warningsOf } from "./support.ts";

/** A question with its headers by name. */
type Asked = Omit<NonNullable<Parameters<typeof ask>[1]>, "headers"> & {
  readonly headers?: Readonly<Record<string, string>>;
};

const issuer = { issuer: "https://id.example.org", audience: [BASE_URL] };
const start = (options: unknown) => () => smartAuth(options as SmartAuthOptions);

describe("what stops the start, and what to write instead", () => {
  mistakesAtStart({
    "no options": [start(undefined), "give an object; known options are"],
    "no issuer": [start({ baseUrl: BASE_URL }), "issuers: write a list with at least one issuer"],
    "one issuer in place of a list": [start({ baseUrl: BASE_URL, issuers: issuer }), "issuers: write a list"],
    "no audience": [start({ baseUrl: BASE_URL, issuers: [{ issuer: issuer.issuer }] }), "audience: write a list"],
    "an audience in place of a list": [
      start({ baseUrl: BASE_URL, issuers: [{ ...issuer, audience: BASE_URL }] }),
      "issuers[0].audience: write a list with at least one identifier of this API",
    ],
    "an http issuer": [
      start({ baseUrl: BASE_URL, issuers: [{ ...issuer, issuer: "http://id.example.org" }] }),
      "must be an https URL without user and fragment; http needs `development` and a loopback address",
    ],
    "a misspelled option": [
      start({ baseUrl: BASE_URL, issuers: [issuer], allowLegacyGrant: true }),
      "unknown option `allowLegacyGrant`",
    ],
    "a shared secret": [
      start({ baseUrl: BASE_URL, issuers: [{ ...issuer, algorithms: ["HS256"] }] }),
      "algorithms: choose from RS256",
    ],
    "an hour of leeway for a wrong clock": [
      start({ baseUrl: BASE_URL, issuers: [{ ...issuer, leewaySeconds: 3600 }] }),
      "leewaySeconds: must be between 0 and 300 seconds",
    ],
    "no base URL": [start({ issuers: [issuer] }), "baseUrl: must be an absolute URL"],
  });
});

onExpress((make, express) => {
  async function guarded(change: Partial<SmartAuthOptions> = {}, before: (app: Express) => void = () => undefined) {
    const { publicKey, privateKey } = await generateKeyPair("ES256");
    const keys = { keys: [{ ...(await exportJWK(publicKey)), kid: "1", alg: "ES256" }] };
    const url = await listen(
      (_req: unknown, res: ServerResponse) =>
        void res.setHeader("content-type", "application/json").end(JSON.stringify(keys)),
    );
    const reasons: string[] = [];
    const app = make();
    before(app);
    app.use(
      "/fhir",
      smartAuth({
        baseUrl: BASE_URL,
        development: true,
        issuers: [{ issuer: url, jwksUri: `${url}/jwks`, audience: [BASE_URL] }],
        onDecision: ({ because }) => void reasons.push(...because),
        ...change,
      }),
    );
    app.get("/fhir/Patient/:id", (_req, res) => void res.json({ resourceType: "Patient", id: "a" }));
    app.post("/fhir/Observation", (req, res) => void res.status(201).json(req.body));
    const origin = await open(app);
    return {
      reasons,
      async ask(claims: Record<string, unknown> = {}, question: Asked = {}, path = "Patient/a") {
        const authorization = `Bearer ${await signToken(privateKey, url, claims)}`;
        return ask(`${origin}/fhir/${path}`, { ...question, headers: { ...question.headers, authorization } });
      },
    };
  }

  const now = Math.floor(Date.now() / 1000);
  it.each([
    ["a token for another audience", { aud: "https://other.example.org" }, "aud does not name this API"],
    ["an issuer with a slash too many", { iss: "https://id.example.org/" }, "iss is not a configured issuer"],
    ["an issuer whose clock is ahead", { iat: now + 600, exp: now + 900 }, "iat lies in the future"],
    ["an issuer whose clock is behind", { iat: now - 900, exp: now - 600 }, "token has expired"],
    ["a token for a day", { exp: now + 86_400 }, "token lives longer than the issuer may grant"],
  ])("%s is named to the operator, with what to do, and not to the client", async (_name, claims, reason) => {
    const api = await guarded();
    const { status, code, text } = await api.ask(claims);
    expect([status, code]).toEqual([401, "smart-auth/token-invalid"]);
    expect(api.reasons).toContain(reason);
    expect(text).not.toContain(reason);
    expect(adviceOn("smart-auth/token-invalid")).toContain(`"${reason}"`);
  });

  it("F12: an unreachable key set is told once for each outage, with what to check", async () => {
    const dead = `http://127.0.0.1:${await freePort()}`;
    const api = await guarded({ issuers: [{ issuer: dead, jwksUri: `${dead}/jwks`, audience: [BASE_URL] }] });
    const said = await warningsOf(async () => {
      expect((await api.ask({ iss: dead })).code).toBe("smart-auth/keys-unavailable");
      await api.ask({ iss: dead });
    });
    expect(said).toEqual([
      expect.stringMatching(/^WARDLINE_ISSUER_KEYS: .* cannot be fetched: check `jwksUri`, DNS, firewall/),
    ]);
  });

  it("mounted after what relies on it: the warning names it, and every request is refused", async () => {
    const api = await guarded({}, (app) => app.use("/fhir", requireControls(["smart-auth"])));
    const said = await warningsOf(async () => expect((await api.ask()).code).toBe("policy-types/control-skipped"));
    expect(said).toEqual([expect.stringContaining("without smart-auth: mount them before it")]);
  });

  it("a JSON parser before it is no mistake: its result is judged", async () => {
    const api = await guarded({ interactions: ["read", "create"] } as Partial<SmartAuthOptions>, (app) =>
      app.use(express.json({ type: () => true })),
    );
    const body = JSON.stringify({ resourceType: "Observation", subject: { reference: "Patient/b" } });
    const answer = await api.ask(
      { scope: "patient/*.c" },
      { method: "POST", headers: { "content-type": "application/fhir+json" }, body },
      "Observation",
    );
    expect(answer.status).toBe(403);
  });
});
