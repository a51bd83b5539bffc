import { contextOf } from "@wardline/policy-types/express";
import { ask, EXPRESS, listen } from "@wardline-tools/test-kit";
import type { Request, Response } from "express";
import { describe, expect, it } from "vitest";
import { type ApiInventoryOptions, apiInventory, type InventoryEntry } from "../src/index.ts";
import { FHIR, ROUTE } from "./support/records.ts";

const OLD: InventoryEntry = {
  ...ROUTE,
  id: "old",
  path: "/old/:id",
  deprecated: "2025-01-01",
  retired: "2026-06-30",
  successor: "https://api.example.org/slots",
};
const BEFORE = Date.UTC(2026, 5, 29, 23, 59, 59, 999);
const AFTER = Date.UTC(2026, 5, 30);
const HEADERS = {
  deprecation: "@1735689600",
  sunset: "Tue, 30 Jun 2026 00:00:00 GMT",
  link: '<https://api.example.org/slots>; rel="successor-version", </why>; rel="deprecation"; type="text/html", </why>; rel="sunset"; type="text/html"',
};

describe.each(EXPRESS)("%s", (_name, express) => {
  async function start(options: Partial<ApiInventoryOptions> = {}) {
    const inventory = apiInventory({ entries: [FHIR, ROUTE, OLD], documentation: "/why", ...options });
    const app = express();
    app.use(inventory);
    app.use((req: Request, _res: Response, next: () => void) => {
      const clientId = req.headers["x-test-client"];
      if (typeof clientId === "string") {
        contextOf(req).principal = {
          method: "jwt",
          issuer: "https://id.example",
          subject: "s",
          clientId,
          roles: [],
          purposeOfUse: [],
          launch: {},
          scopes: ["patient/Patient.rs", "patient/Observation.rs?code=secret"],
        };
      }
      next();
    });
    const answer = (_req: Request, res: Response) => void res.json({ ok: true });
    app.get("/old/:id", answer);
    app.all("/slots/:id", answer);
    app.get("/fhir/Patient/:id", answer);
    app.get("/fhir/debug", answer);
    app.post("/fhir", (req: Request, res: Response) => {
      const [patients, delivered] = [new Set<string>(), new Set<string>()];
      const update = {
        code: "update",
        type: "Patient",
        id: "1",
        path: "/Patient/1",
        touches: [],
        entries: [],
      } as const;
      contextOf(req).entries = [{ method: "PUT", interaction: update, isPermitted: true, patients, delivered }];
      answer(req, res);
    });
    app.get("/hidden/:name/card", answer);
    return { inventory, origin: await listen(app) };
  }
  const reports = (inventory: ReturnType<typeof apiInventory>, code: string) =>
    inventory.report().findings.filter((finding) => finding.code === code);

  it("RFC 9745, RFC 8594: every answer of a deprecated endpoint says so, until the last millisecond", async () => {
    const { origin } = await start({ now: () => BEFORE });
    const answer = await ask(`${origin}/old/7`);
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject(HEADERS);
    const other = await ask(`${origin}/slots/7`);
    expect([other.headers["deprecation"], other.headers["sunset"], other.headers["link"]]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it("sees in a batch what nobody declared", async () => {
    const { origin, inventory } = await start({ entries: [{ ...FHIR, interactions: ["read", "batch"] }] });
    await ask(`${origin}/fhir`, { method: "POST" });
    await expect
      .poll(() => reports(inventory, "undeclared-endpoint"))
      .toMatchObject([{ subject: "PUT fhir update Patient" }]);
  });

  it("410 from the date on, with a code, the headers and no handler run", async () => {
    const { origin, inventory } = await start({ now: () => AFTER });
    const answer = await ask(`${origin}/old/7`, { headers: { "x-test-client": "app-9" } });
    expect(answer.status).toBe(410);
    expect(JSON.parse(answer.text)).toMatchObject({
      code: "api-inventory/endpoint-retired",
      title: "This endpoint has been retired.",
    });
    expect(answer.headers).toMatchObject(HEADERS);
    await expect.poll(() => reports(inventory, "retired-in-use")).toMatchObject([{ entry: "old", refused: 1 }]);
  });

  it("a FHIR base that is retired answers an OperationOutcome", async () => {
    const entry = { ...FHIR, deprecated: "2024-01-01", retired: "2025-01-01" };
    const { origin } = await start({ entries: [entry] });
    const answer = await ask(`${origin}/fhir/Patient/1`);
    expect([answer.status, answer.code]).toEqual([410, "api-inventory/endpoint-retired"]);
  });

  it("what nobody declared is an alarm when it answers, and is named without what the client wrote (A14)", async () => {
    const { origin, inventory } = await start();
    await ask(`${origin}/hidden/jane-doe/card?ssn=078-05-1120`);
    await ask(`${origin}/fhir/debug`);
    await ask(`${origin}/slots/12`, { method: "DELETE" });
    await ask(`${origin}/wp-admin/jane-doe`);
    await expect.poll(() => inventory.report().requests).toBe(4);
    expect(reports(inventory, "undeclared-endpoint").map(({ subject, severity }) => `${severity} ${subject}`)).toEqual([
      "alarm GET /hidden/{}/card",
      "alarm GET /fhir/debug",
      "alarm DELETE /slots/{}",
    ]);
    expect(reports(inventory, "undeclared-probe").map(({ subject }) => subject)).toEqual(["GET /{}/{}"]);
    expect(JSON.stringify(inventory.report())).not.toMatch(/jane|078-05/);
  });

  it("undeclared: refuse answers 404 and the handler does not run", async () => {
    const { origin, inventory } = await start({ undeclared: "refuse" });
    const answer = await ask(`${origin}/hidden/x/card`);
    expect([answer.status, answer.code]).toEqual([404, "api-inventory/endpoint-undeclared"]);
    expect((await ask(`${origin}/slots/1`)).status).toBe(200);
    expect((await ask(`${origin}/slots/1`, { method: "DELETE" })).status).toBe(404);
    await expect.poll(() => reports(inventory, "undeclared-endpoint")).toEqual([]);
  });

  it("unknown clients and unapproved scopes are found, a scope's query is not repeated", async () => {
    const entry = { ...FHIR, consumers: ["app-1"], approvedScopes: ["patient/Patient.rs"] };
    const { origin, inventory } = await start({ entries: [entry] });
    await ask(`${origin}/fhir/Patient/1`, { headers: { "x-test-client": "app-1" } });
    await ask(`${origin}/fhir/Patient/1`, { headers: { "x-test-client": "app-2" } });
    await expect.poll(() => inventory.report().requests).toBe(2);
    expect(reports(inventory, "unknown-client")).toMatchObject([{ subject: "app-2", severity: "alarm", answered: 1 }]);
    expect(reports(inventory, "scope-not-approved")).toMatchObject([{ subject: "patient/Observation.rs?{}" }]);
    expect(inventory.report().entries[0]?.callers.map(({ name }) => name)).toEqual(["app-1", "app-2"]);
  });

  it("mounted routes that nobody declared are found without any traffic", async () => {
    const inventory = apiInventory({ entries: [FHIR, ROUTE] });
    const app = express();
    app.get("/slots/:slot", () => undefined);
    app.delete("/slots/:slot", () => undefined);
    app.get("/fhir/Patient/:id", () => undefined);
    app.get("/fhir/Condition/:id", () => undefined);
    const router = express.Router();
    router.post("/reset", () => undefined);
    app.use("/internal/:tenant", router);
    const expected = ["DELETE /slots/:slot", "GET /fhir/Condition/:id", "POST /internal/:tenant/reset"];
    expect(inventory.lookInto(app).map(({ method, path }) => `${method} ${path}`)).toEqual(expected);
    expect(reports(inventory, "mounted-undeclared").map(({ subject }) => subject)).toEqual(expected);
  });
});
