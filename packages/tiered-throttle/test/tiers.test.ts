import type { Interaction, Principal } from "@wardline/policy-types";
import { contextOf } from "@wardline/policy-types/express";
import { type Answer, askPort, EXPRESS, listenOnPort } from "@wardline-tools/test-kit";
import type { RequestHandler } from "express";
import { describe, expect, it } from "vitest";
import { type ThrottleDecision, type TieredThrottleOptions, tieredThrottle } from "../src/index.ts";
import { parseStringList } from "./support/structured-fields.ts";

interface Who extends Partial<Principal> {
  readonly zone?: "patient" | "partner" | "device" | "internal";
  readonly apiType?: string;
  readonly wide?: boolean;
  readonly operation?: string;
  readonly batch?: number;
}

const READ: Interaction = { code: "read", path: "/Patient/1", touches: [], entries: [] };
const WIDE: Interaction = {
  ...READ,
  code: "search-type",
  search: { criteria: [], includes: [], sort: [], control: [], pairs: [] },
};

/** What context, smart-auth and the route would have left, as the test wrote it into a header. */
const pretend: RequestHandler = (req, _res, next) => {
  const { zone, apiType, wide, operation, batch, ...principal } = JSON.parse(req.get("x-who") ?? "{}") as Who;
  const context = contextOf(req);
  if (zone !== undefined) context.zone = zone;
  if (apiType !== undefined) context.apiType = apiType;
  context.interaction = wide === true ? WIDE : READ;
  if (operation !== undefined) {
    context.interaction = { ...READ, code: "operation", operation: { name: operation, level: "system" } };
  }
  if (batch !== undefined) {
    const entries = Array.from({ length: batch }, (_, index) => ({ index, method: "GET", interaction: READ }));
    context.interaction = { ...READ, code: "batch", entries };
  }
  context.principal = {
    method: "jwt",
    issuer: "https://as.example",
    subject: "ann",
    roles: [],
    purposeOfUse: [],
    launch: {},
    scopes: [],
    ...principal,
  };
  next();
};

describe.each(EXPRESS)("tiers on %s", (_name, express) => {
  async function serve(options: TieredThrottleOptions): Promise<(who?: Who) => Promise<Answer>> {
    const app = express();
    app.use(pretend, tieredThrottle({ now: () => 1_000_000, ...options }), (_req, res) => void res.json({}));
    const port = await listenOnPort(app);
    return (who = {}) => askPort(port, { headers: ["Host", "x", "X-Who", JSON.stringify(who)] });
  }
  const tierOf = (answer: Answer): unknown => parseStringList(String(answer.headers["ratelimit"]))[0]?.value;

  it("the first tier whose every condition holds limits the request", async () => {
    const window = (name: string): TieredThrottleOptions => ({
      windows: [{ name, limit: 100, windowSeconds: 60, by: "client" }],
    });
    const call = await serve({
      tiers: [
        { name: "t1", when: { operationClass: "bulk" }, ...window("bulk") },
        { name: "t2", when: { zone: "partner", organisation: ["org-1", "org-2"] }, ...window("contract") },
        { name: "t3", when: { zone: ["partner", "device"] }, ...window("zones") },
        { name: "t4", when: { apiType: "prior-authorization", operationClass: "expensive" }, ...window("pa-wide") },
        { name: "t5", when: { client: "app-1", issuer: "https://as.example" }, ...window("app") },
        { name: "t6", when: { user: "bob" }, ...window("bob") },
        { name: "t7", when: { device: "d-1" }, ...window("device") },
        { name: "t8", when: { department: "ward-7" }, ...window("ward") },
        { name: "rest", ...window("rest") },
      ],
    });
    const cases: [Who, string][] = [
      [{ operation: "export", zone: "partner", organisation: "org-1" }, "bulk"],
      [{ zone: "partner", organisation: "org-2" }, "contract"],
      [{ zone: "patient", organisation: "org-1" }, "rest"],
      [{ zone: "partner", organisation: "org-3" }, "zones"],
      [{ zone: "partner" }, "zones"],
      [{ zone: "device" }, "zones"],
      [{ apiType: "prior-authorization", wide: true }, "pa-wide"],
      [{ apiType: "prior-authorization" }, "rest"],
      [{ clientId: "app-1" }, "app"],
      [{ clientId: "app-1", issuer: "https://other.example" }, "rest"],
      [{ subject: "bob" }, "bob"],
      [{ device: "d-1" }, "device"],
      [{ department: "ward-7" }, "ward"],
      [{}, "rest"],
    ];
    for (const [who, expected] of cases) expect([who, tierOf(await call(who))]).toEqual([who, expected]);
  });

  it("tiers have counters of their own, and charge the right party", async () => {
    const call = await serve({
      tiers: [
        {
          name: "wards",
          when: { zone: "internal" },
          windows: [{ name: "w", limit: 1, windowSeconds: 60, by: "department" }],
        },
        { name: "rest", windows: [{ name: "w", limit: 1, windowSeconds: 60, by: "department" }] },
      ],
    });
    const ward = { organisation: "h-1", department: "ward-7" };
    expect((await call({ zone: "internal", ...ward })).status).toBe(200);
    expect((await call({ zone: "internal", ...ward, subject: "bob" })).status).toBe(429);
    expect((await call({ zone: "internal", ...ward, organisation: "h-2" })).status).toBe(200);
    expect((await call(ward)).status).toBe(200);
  });

  it("a request costs what its class costs, and a bundle what its entries cost", async () => {
    const call = await serve({
      windows: [{ name: "w", limit: 40, windowSeconds: 60, by: "user" }],
      costs: { expensive: 5, bulk: 20 },
    });
    const left: unknown[] = [];
    for (const who of [{}, { wide: true }, { operation: "export" }, { batch: 7 }] as Who[]) {
      left.push((await call(who)).headers["ratelimit"]);
    }
    expect(left).toEqual([39, 34, 14, 7].map((r) => `"w";r=${r};t=60`));
    // Eight do not fit any more and cost nothing; seven do.
    expect((await call({ batch: 8 })).status).toBe(429);
    expect((await call({ batch: 7 })).status).toBe(200);
    // What costs more than a whole window costs the whole window.
    expect((await call({ batch: 500, subject: "bob" })).headers["ratelimit"]).toBe('"w";r=0;t=60');
  });

  it("a quota is told whenever it is charged, and its refusal has a code of its own", async () => {
    let now = Date.parse("2026-03-31T21:00:00Z");
    const call = await serve({
      now: () => now,
      windows: [{ name: "burst", limit: 2, windowSeconds: 60, by: "user" }],
      quotas: [{ name: "contract", limit: 3, per: "month", timeZone: "Europe/Berlin", carry: 1 }],
    });
    const org = { organisation: "org-1" };
    const first = await call(org);
    // March in Berlin is an hour short; one was carried from February.
    expect(first.headers["ratelimit-policy"]).toBe(`"burst";q=2;w=60, "contract";q=4;w=${31 * 86_400 - 3600}`);
    expect(first.headers["ratelimit"]).toBe('"burst";r=1;t=60, "contract";r=3;t=3600');
    for (const subject of ["bob", "cas", "dan"]) expect((await call({ ...org, subject })).status).toBe(200);
    const refused = await call({ ...org, subject: "eve" });
    expect([refused.status, refused.code]).toEqual([429, "tiered-throttle/quota-exceeded"]);
    expect(refused.headers).toMatchObject({ ratelimit: '"contract";r=0;t=3600', "retry-after": "3600" });
    expect((await call({ organisation: "org-2", subject: "eve" })).status).toBe(200);
    now = Date.parse("2026-03-31T22:00:00Z");
    // All of March's own was used, so nothing is carried.
    expect((await call({ ...org, subject: "eve" })).headers["ratelimit"]).toBe(
      `"burst";r=1;t=60, "contract";r=2;t=${30 * 86_400}`,
    );
  });

  it("older fields can be chosen, or none", async () => {
    const windows = [{ name: "w", limit: 2, windowSeconds: 60, by: "user" }] as const;
    const old = await (await serve({ windows, fields: "draft-6" }))();
    expect(old.headers).toMatchObject({
      "ratelimit-limit": "2",
      "ratelimit-remaining": "1",
      "ratelimit-reset": "60",
      "ratelimit-policy": "2;w=60",
    });
    const none = await (await serve({ windows, fields: "off" }))();
    expect(Object.keys(none.headers).filter((name) => name.startsWith("ratelimit"))).toEqual([]);
  });

  it("every decision is told, without the caller's name, and a listener that throws changes nothing", async () => {
    const told: ThrottleDecision[] = [];
    const call = await serve({
      windows: [{ name: "w", limit: 1, windowSeconds: 60, by: "user" }],
      onDecision: (decision) => {
        told.push(decision);
        throw new Error("broken listener");
      },
    });
    const who = { subject: "secret-ann", zone: "patient", apiType: "patient-access" } as const;
    expect([(await call(who)).status, (await call(who)).status]).toEqual([200, 429]);
    const common = {
      tier: "tier",
      operationClass: "ordinary",
      cost: 1,
      countedBy: "process",
      zone: "patient",
      apiType: "patient-access",
    };
    expect(told).toEqual([
      { ...common, kind: "permit", full: [] },
      { ...common, kind: "deny", code: "tiered-throttle/rate-exceeded", full: ["w"] },
    ]);
  });

  it("the snapshot tells limits, running requests and what became of the others, and no names", async () => {
    const app = express();
    const throttle = tieredThrottle({
      windows: [{ name: "w", limit: 2, windowSeconds: 60, by: "user" }],
      quotas: [{ name: "q", limit: 9, per: "day" }],
      concurrency: 5,
    });
    const seen: unknown[] = [];
    app.use(pretend, throttle, (_req, res) => {
      seen.push(throttle.snapshot().tiers[0]?.running);
      res.json({});
    });
    const port = await listenOnPort(app);
    for (let index = 0; index < 3; index += 1) {
      await askPort(port, { headers: ["Host", "x", "X-Who", JSON.stringify({ clientId: "secret-app" })] });
    }
    expect(seen).toEqual([1, 1]);
    await expect.poll(() => throttle.snapshot().tiers[0]?.running).toBe(0);
    expect(throttle.snapshot()).toEqual({
      store: "none",
      tiers: [
        {
          name: "tier",
          limits: [
            { name: "w", limit: 2, by: "user" },
            { name: "q", limit: 9, by: "organisation" },
          ],
          running: 0,
          permitted: 2,
          refused: { "tiered-throttle/rate-exceeded": 1 },
        },
      ],
    });
  });

  it("F6: whoever has a name is not let through uncounted, whatever the options say", async () => {
    const call = await serve({
      windows: [{ name: "w", limit: 1, windowSeconds: 60, by: "user" }],
      redis: () => Promise.reject(new Error("down")),
      onStoreFailure: "open",
      protects: "nothing",
    });
    const answer = await call();
    expect([answer.status, answer.code]).toEqual([503, "tiered-throttle/store-unavailable"]);
  });
});
