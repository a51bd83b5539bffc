import type { Principal } from "@wardline/policy-types";
import { contextOf, requireControls, sendProblem } from "@wardline/policy-types/express";
import { type Answer, askPort, EXPRESS, listenOnPort } from "@wardline-tools/test-kit";
import type { RequestHandler } from "express";
import { describe, expect, it } from "vitest";
import { type AbuseMonitorOptions, type Alert, abuseMonitor, type MeasureChange } from "../src/index.ts";
import { record } from "./support/records.ts";

const ISSUER = "https://as.example";
const NOTE = { operator: "ops-1", because: "as agreed" };

/** What perimeter and smart-auth would leave, from headers of the test. */
const arrive: RequestHandler = (req, _res, next) => {
  const context = contextOf(req);
  context.clientAddress = req.get("x-address") ?? "192.0.2.1";
  if (req.get("x-zone") === "device") context.zone = "device";
  if (req.get("x-api") !== undefined) context.apiType = req.get("x-api") as string;
  next();
};
const authenticate: RequestHandler = (req, res, next) => {
  const [clientId, subject] = req.get("x-who")?.split("/") ?? [];
  if (subject === undefined) {
    const problem = req.get("authorization") === undefined ? "credentials-missing" : "token-invalid";
    return sendProblem(res, { code: `smart-auth/${problem}`, status: 401, issue: "login", detail: "No." });
  }
  const authenticatedAt = Number(req.get("x-auth-time"));
  const principal: Principal = {
    method: "jwt",
    issuer: ISSUER,
    subject,
    ...(clientId === undefined ? {} : { clientId }),
    roles: [],
    purposeOfUse: req.get("x-purpose") === undefined ? [] : [req.get("x-purpose") as string],
    launch: {},
    scopes: [],
    ...(authenticatedAt > 0 ? { authenticatedAt } : {}),
    ...(req.get("x-acr") === undefined ? {} : { acr: req.get("x-acr") as string }),
    ...(req.get("x-jkt") === undefined ? {} : { confirmation: { jkt: "thumbprint" } }),
  };
  contextOf(req).principal = principal;
  next();
};

type Sent = Readonly<Record<string, string>>;

describe.each(EXPRESS)("abuseMonitor on %s", (_name, express) => {
  async function serve(options: AbuseMonitorOptions = {}) {
    const alerts: Alert[] = [];
    const changes: MeasureChange[] = [];
    let ran = 0;
    let time = 1_768_208_400_000;
    const costs: number[] = [];
    const monitor = abuseMonitor({
      key: new Uint8Array(16).fill(3),
      now: () => time,
      onAlert: (alert) => alerts.push(alert),
      onMeasure: (change) => changes.push(change),
      ...options,
    });
    const app = express();
    app.use(arrive, monitor, authenticate, monitor.afterAuthentication, requireControls(["abuse-monitor"]));
    app.use((req, res) => {
      ran++;
      costs.push(monitor.costOf(req));
      res.json({ resourceType: "Patient" });
    });
    const port = await listenOnPort(app);
    const call = (headers: Sent = {}): Promise<Answer> =>
      askPort(port, { headers: ["Host", "x.example", ...Object.entries(headers).flat()] });
    const wait = (ms: number) => {
      time += ms;
    };
    return { monitor, call, alerts, changes, ran: () => ran, costs, wait, now: () => time };
  }

  const user: Sent = { "X-Who": "ehr/nurse", Authorization: "Bearer t" };

  function expectBlocked(answer: Answer): void {
    expect([answer.status, answer.code]).toEqual([403, "abuse-monitor/caller-blocked"]);
    expect(JSON.parse(answer.text)).toMatchObject({ resourceType: "OperationOutcome", issue: [{ code: "forbidden" }] });
  }

  it("lets everybody pass whom nobody blocked, and stands in the record as a control", async () => {
    const { call, ran } = await serve();
    expect([(await call(user)).status, ran()]).toEqual([200, 1]);
  });

  it("refuses an address an operator blocked before anybody is authenticated", async () => {
    const { monitor, call, ran, wait } = await serve();
    const pseudonym = monitor.pseudonymOf({ kind: "address", name: "192.0.2.1" });
    monitor.measures.impose({ kind: "address", pseudonym }, { ...NOTE, seconds: 60 });
    expectBlocked(await call());
    expectBlocked(await call(user));
    expect(ran()).toBe(0);
    expect((await call({ ...user, "X-Address": "192.0.2.9" })).status).toBe(200);
    wait(60_000);
    expect((await call(user)).status).toBe(200);
  });

  it("refuses a client and a user after authentication", async () => {
    const { monitor, call, ran } = await serve();
    const client = monitor.pseudonymOf({ kind: "client", issuer: ISSUER, name: "bad-app" });
    const subject = monitor.pseudonymOf({ kind: "subject", issuer: ISSUER, name: "mallory" });
    monitor.measures.impose({ kind: "client", pseudonym: client }, NOTE);
    monitor.measures.impose({ kind: "subject", pseudonym: subject }, NOTE);
    expectBlocked(await call({ ...user, "X-Who": "bad-app/nurse" }));
    expectBlocked(await call({ ...user, "X-Who": "ehr/mallory" }));
    expect(ran()).toBe(0);
    expect((await call(user)).status).toBe(200);
  });

  it("sees token guessing, tells it, and blocks the address until the operator lifts it", async () => {
    const responses = { "token-guessing": { action: "block" } } as const;
    const { monitor, call, alerts, changes } = await serve({ responses });
    const guess = { Authorization: "Bearer x", "X-Address": "198.51.100.1" };
    for (let n = 0; n < 40; n++) await call(guess);
    await expect.poll(() => alerts).toMatchObject([{ pattern: "token-guessing", whom: { kind: "address" } }]);
    expect(changes).toMatchObject([{ kind: "imposed", measure: { action: "block", because: "token-guessing" } }]);

    const behind = { "X-Address": "198.51.100.1" };
    expectBlocked(await call(behind));
    expectBlocked(await call({ ...user, ...behind }));
    const id = monitor.measures.list()[0]?.id ?? "";
    expect(monitor.measures.lift(id, NOTE)).toBe(true);
    expect((await call({ ...user, ...behind })).status).toBe(200);
    for (let n = 0; n < 100; n++) await call(guess);
    expect((await call({ ...user, ...behind })).status).toBe(200);
    expect(changes.map(({ kind }) => kind)).toEqual(["imposed", "lifted"]);
  });

  it.each([
    ["a break-glass user", { "X-Purpose": "BTG" }],
    ["a device", { "X-Zone": "device" }],
    ["prior authorisation", { "X-Api": "prior-authorization" }],
  ] as const)("the policy's block of an address does not hit %s behind it", async (_who, spared) => {
    const responses = { "token-guessing": { action: "block" } } as const;
    const { call, alerts } = await serve({ responses });
    for (let n = 0; n < 40; n++) await call({ Authorization: "Bearer x" });
    await expect.poll(() => alerts).toHaveLength(1);
    expectBlocked(await call(user));
    expect((await call({ ...user, ...spared })).status).toBe(200);
  });

  it("an operator's block hits a break-glass user too", async () => {
    const { monitor, call } = await serve();
    const pseudonym = monitor.pseudonymOf({ kind: "subject", issuer: ISSUER, name: "nurse" });
    monitor.measures.impose({ kind: "subject", pseudonym }, NOTE);
    expectBlocked(await call({ ...user, "X-Purpose": "BTG" }));
  });

  it("RFC 9470: asks for a step-up until the user has authenticated again, well enough", async () => {
    const { monitor, call, now } = await serve({ stepUp: { acrValues: ["urn:mfa"], maxAgeSeconds: 60 } });
    const pseudonym = monitor.pseudonymOf({ kind: "subject", issuer: ISSUER, name: "nurse" });
    monitor.measures.impose({ kind: "subject", pseudonym }, { ...NOTE, action: "step-up" });
    const since = Math.floor(now() / 1000);
    const answer = await call(user);
    expect([answer.status, answer.code]).toEqual([401, "abuse-monitor/step-up-required"]);
    expect(answer.headers["www-authenticate"]).toBe(
      'Bearer error="insufficient_user_authentication", error_description="A different or more recent authentication is required", acr_values="urn:mfa", max_age=60',
    );
    const under = await call({ ...user, "X-Jkt": "yes" });
    expect(under.headers["www-authenticate"]).toMatch(/^DPoP error="insufficient_user_authentication"/);
    for (const short of [
      { "X-Auth-Time": String(since - 10), "X-Acr": "urn:mfa" },
      { "X-Auth-Time": String(since), "X-Acr": "urn:password" },
      { "X-Auth-Time": String(since) },
      { "X-Acr": "urn:mfa" },
    ]) {
      expect((await call({ ...user, ...short })).status).toBe(401);
    }
    expect((await call({ ...user, "X-Auth-Time": String(since), "X-Acr": "urn:mfa" })).status).toBe(200);
  });

  it("lets who is to step up sign in anew, and nobody who is blocked", async () => {
    const { monitor } = await serve();
    const app = express();
    app.use(arrive, monitor.atSignIn, (_req, res) => void res.json({}));
    const port = await listenOnPort(app);
    const call = (): Promise<Answer> => askPort(port, { headers: ["Host", "x.example"] });
    const whom = { kind: "address", pseudonym: monitor.pseudonymOf({ kind: "address", name: "192.0.2.1" }) } as const;
    monitor.measures.impose(whom, { ...NOTE, action: "step-up" });
    expect((await call()).status).toBe(200);
    monitor.measures.impose(whom, NOTE);
    expect((await call()).status).toBe(403);
  });

  it("tells the throttle what a request of a slowed-down caller counts", async () => {
    const { monitor, call, costs } = await serve();
    await call(user);
    const subject = monitor.pseudonymOf({ kind: "subject", issuer: ISSUER, name: "nurse" });
    const address = monitor.pseudonymOf({ kind: "address", name: "192.0.2.1" });
    monitor.measures.impose({ kind: "subject", pseudonym: subject }, { ...NOTE, action: "slow-down", cost: 5 });
    await call(user);
    monitor.measures.impose({ kind: "address", pseudonym: address }, { ...NOTE, action: "slow-down", cost: 20 });
    await call(user);
    await call({ ...user, "X-Address": "192.0.2.2", "X-Who": "ehr/other" });
    expect(costs).toEqual([1, 5, 20, 1]);
  });

  it("records alerts and measures with the audit log; one that fails is told and keeps nobody from hearing", async () => {
    const recorded: string[] = [];
    const degraded: string[] = [];
    let broken = true;
    const { monitor, alerts } = await serve({
      responses: { "credential-stuffing": { action: "slow-down" } },
      audit: async (kind, facts) => {
        if (broken) throw new Error("disk full");
        recorded.push(`${kind}: ${facts.because}`);
      },
      logger: {
        log: () => {
          throw new Error("logger");
        },
      },
      onDegraded: ({ kind, code }) => degraded.push(`${kind} ${code}`),
    });
    const tryNames = (address: string) => {
      for (let n = 0; n < 20; n++) monitor.seeLogin({ address, issuer: ISSUER, subject: `u-${n}`, succeeded: false });
    };
    tryNames("198.51.100.1");
    await expect.poll(() => degraded).toEqual(["degraded abuse-monitor/audit-failed"]);
    broken = false;
    tryNames("198.51.100.2");
    await expect
      .poll(() => recorded)
      .toEqual([
        "security-alert: logins fail in a number that no forgotten password explains",
        "security-alert: a measure was imposed",
      ]);
    await expect.poll(() => degraded.at(-1)).toBe("recovered abuse-monitor/audit-failed");
    expect(alerts.map(({ findings }) => findings[0])).toEqual(
      Array(2).fill({ measure: "distinct-names", value: 20, threshold: 20, windowSeconds: 900 }),
    );
  });

  it("sees one name tried from many addresses, and many failures through one app", async () => {
    const { monitor, alerts } = await serve();
    for (let n = 0; n < 8; n++) {
      monitor.seeLogin({ address: `198.51.100.${n}`, issuer: ISSUER, subject: "director", succeeded: false });
    }
    for (let n = 0; n < 200; n++) {
      const [address, subject] = [`203.0.${n}.1`, `u-${n}`];
      monitor.seeLogin({ address, issuer: ISSUER, clientId: "app", subject, succeeded: false });
    }
    expect(alerts.map(({ whom }) => whom.kind)).toEqual(["claimed", "client"]);
  });

  it("counts what it tracks and tells no name", async () => {
    const { monitor, call } = await serve();
    await call(user);
    await expect.poll(() => monitor.snapshot().sightings).toBe(1);
    expect(monitor.snapshot()).toMatchObject({ alerts: 0, measures: 0, tracked: { subject: 1, client: 1 } });
    expect(JSON.stringify(monitor.snapshot())).not.toContain("nurse");
    await monitor.close();
  });

  it("a record that cannot be read breaks no request and is told once", async () => {
    const degraded: string[] = [];
    const { monitor, call } = await serve({ onDegraded: ({ kind, code }) => degraded.push(`${kind} ${code}`) });
    monitor.see(undefined as never);
    monitor.see(undefined as never);
    expect((await call(user)).status).toBe(200);
    await expect
      .poll(() => degraded)
      .toEqual(["degraded abuse-monitor/record-failed", "recovered abuse-monitor/record-failed"]);
  });

  it("sees each entry of a batch as a request of its own: patients asked for by id, and those that are not there", async () => {
    const { monitor, alerts } = await serve();
    const entries = Array.from({ length: 20 }, (_, at) => ({
      method: "GET",
      interaction: "read" as const,
      resourceType: "Patient",
      resource: `Patient/${at * 7}`,
      parameters: [],
      patients: [`${at * 7}`],
      delivered: [],
      outcome: "deny" as const,
      problem: "smart-auth/not-found",
      status: 404,
    }));
    const { resourceType: _, resource: __, ...whole } = record({ interaction: "batch", method: "POST", entries });
    monitor.see(whole);
    expect(monitor.snapshot().sightings).toBe(21);
    expect(alerts.map(({ pattern, findings }) => [pattern, findings[0]?.measure])).toEqual([
      ["patient-enumeration", "missed-patients"],
    ]);
  });
});
