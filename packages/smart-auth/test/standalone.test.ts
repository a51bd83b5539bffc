import type { RequestHandler } from "express";
import { describe, expect, it } from "vitest";
import { smartAuth, smartConfiguration } from "../src/index.ts";
import { createBackend, SECRET } from "./support/backend.ts";
import { codeOf, createEdge, DOCTOR, FHIR, FORM, idsOf } from "./support/edge.ts";
import { AUDIENCE, createIssuer, NOW } from "./support/issuer.ts";
import { ask, EXPRESS, listen } from "./support/servers.ts";

describe.each(EXPRESS)("smartAuth in an app of its own on %s", (_name, express) => {
  /** An app whose own middlewares stand before smartAuth. */
  async function appWith(before: readonly RequestHandler[], mount = "/fhir") {
    const issuer = await createIssuer();
    const backend = createBackend(express);
    const app = express();
    for (const handler of before) app.use(handler);
    app.use(
      mount,
      smartAuth({
        issuers: [issuer.policy],
        baseUrl: AUDIENCE,
        interactions: ["read", "search-type", "create", "batch"],
        operations: ["process"],
        development: true,
        now: () => NOW * 1000,
      }),
      backend.router,
    );
    return { issuer, backend, origin: await listen(app) };
  }

  it("respects body parsers that ran before", async () => {
    const parsers = [express.urlencoded({ extended: true }), express.json({ type: ["application/fhir+json"] })];
    const { issuer, backend, origin } = await appWith(parsers);
    const authorization = `Bearer ${await issuer.token({ scope: "patient/*.crs" })}`;
    const search = await ask(origin, "/fhir/Observation/_search", {
      method: "POST",
      headers: { ...FORM, authorization },
      body: "status=final",
    });
    expect(idsOf(search)).toEqual(["o1", "o3"]);
    expect(backend.seen[0]?.body).toEqual({ status: "final", subject: "Patient/p1" });
    const create = await ask(origin, "/fhir/Observation", {
      method: "POST",
      headers: { ...FHIR, authorization },
      body: JSON.stringify({ resourceType: "Observation", subject: { reference: "Patient/p2" } }),
    });
    expect([create.status, codeOf(create)]).toEqual([403, "smart-auth/resource-not-covered"]);
  });

  it("refuses a body that a parser took and nobody can judge", async () => {
    const swallow: RequestHandler = (req, _res, next) => {
      req.resume().once("end", () => {
        req.body = { swallowed: true };
        Object.assign(req, { _body: true });
        next();
      });
    };
    const { issuer, backend, origin } = await appWith([swallow]);
    const authorization = `Bearer ${await issuer.token({ scope: "user/*.cruds", ...DOCTOR })}`;
    const answer = await ask(origin, "/fhir/Patient/p2/$process", {
      method: "POST",
      headers: { "content-type": "multipart/form-data; boundary=x", authorization },
      body: "--x--",
    });
    expect([answer.status, codeOf(answer)]).toEqual([415, "smart-auth/media-type-unsupported"]);
    expect(backend.seen).toEqual([]);
  });

  it("S6: refuses a URL that was changed before it could be judged", async () => {
    const rewrite: RequestHandler = (req, _res, next) => {
      req.url = "/fhir/Patient/p2";
      next();
    };
    const { issuer, backend, origin } = await appWith([rewrite]);
    const headers = { authorization: `Bearer ${await issuer.token()}` };
    const answer = await ask(origin, "/fhir/Patient/p1", { headers });
    expect([answer.status, codeOf(answer)]).toEqual([400, "smart-auth/interaction-unknown"]);
    expect(backend.seen).toEqual([]);
  });

  it("may be mounted at the root", async () => {
    const { issuer, origin } = await appWith([], "/");
    const headers = { authorization: `Bearer ${await issuer.token()}` };
    expect((await ask(origin, "/Patient/p1", { headers })).status).toBe(200);
    expect(idsOf(await ask(origin, "/Observation", { headers }))).toEqual(["o1", "o3"]);
  });

  it("keeps two instances in one process apart", async () => {
    const [one, two] = [await createEdge(express), await createEdge(express)];
    const headers = { authorization: `Bearer ${await one.issuer.token()}` };
    expect((await ask(one.origin, "/fhir/Patient/p1", { headers })).status).toBe(200);
    expect((await ask(two.origin, "/fhir/Patient/p1", { headers })).status).toBe(401);
  });

  it("hands an error of its listener to the error handler, and the handler does not run", async () => {
    const edge = await createEdge(express, {
      onDecision: () => {
        throw new Error("listener broke");
      },
    });
    expect((await edge.as("patient/*.rs", "/Patient/p1")).status).toBeGreaterThanOrEqual(500);
    expect(edge.backend.seen).toEqual([]);
  });

  it("publishes the SMART configuration to any origin, whatever it accepts", async () => {
    const app = express();
    app.use(
      "/fhir/.well-known/smart-configuration",
      smartConfiguration({ tokenEndpoint: "https://as.example/token", capabilities: ["permission-v2"] }),
    );
    const origin = await listen(app);
    const path = "/fhir/.well-known/smart-configuration";
    const answer = await ask(origin, path, { headers: { accept: "text/html" } });
    expect([answer.status, answer.headers["content-type"]]).toEqual([200, "application/json; charset=utf-8"]);
    expect(answer.headers["access-control-allow-origin"]).toBe("*");
    expect(answer.headers["cache-control"]).toBe("public, max-age=300");
    expect(JSON.parse(answer.text)).toMatchObject({ token_endpoint: "https://as.example/token" });
    expect((await ask(origin, path, { method: "HEAD" })).text).toBe("");
    expect((await ask(origin, path, { method: "OPTIONS" })).status).toBe(204);
    expect((await ask(origin, path, { method: "POST" })).status).toBe(404);
    expect((await ask(origin, `${path}/more`)).status).toBe(404);
  });

  it("S15: no refusal repeats the request", async () => {
    const edge = await createEdge(express);
    for (const [scope, path] of [
      [undefined, `/Patient/${SECRET}`],
      ["patient/*.rs", `/Patient/${SECRET}`],
      ["patient/*.rs", `/${SECRET}/1`],
      ["patient/*.rs", `/Observation?${SECRET}=1`],
      ["patient/Patient.rs", `/Observation/${SECRET}`],
      ["patient/*.rs", `/Patient/p1/$${SECRET}`],
    ] as const) {
      const answer = await edge.as(scope, path);
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.text + JSON.stringify(answer.headers)).not.toContain(SECRET);
      expect(JSON.stringify(edge.context().decisions)).not.toContain(SECRET);
    }
  });
});
