import type { LedgerState } from "@wardline/audit-event";
import { describe, expect, it } from "vitest";
import type { GatewayEvent } from "../src/events.ts";
import { watchHealth } from "../src/health.ts";

function watch(): {
  health: ReturnType<typeof watchHealth>;
  events: GatewayEvent[];
  ledger: { status: LedgerState["status"]; isStuck: boolean };
  at: { now: number };
} {
  const events: GatewayEvent[] = [];
  const ledger: { status: LedgerState["status"]; isStuck: boolean } = { status: "open", isStuck: false };
  const at = { now: 0 };
  const health = watchHealth({
    ledgerState: () => ({ status: ledger.status, durable: { entries: 0, hash: "" }, queuedBytes: 7 }),
    auditIsStuck: () => ledger.isStuck,
    now: () => at.now,
    onEvent: (event) => events.push(event),
  });
  health.policyChanged("v", ["ehr", "labs"], ["https://id.example"]);
  return { health, events, ledger, at };
}

describe("readiness", () => {
  it("is ready while the audit log can record", () => {
    const { health, ledger } = watch();
    expect(health.readiness()).toEqual({
      status: "ready",
      policy: "v",
      drift: [],
      audit: { status: "open", queuedBytes: 7 },
      upstreams: { ehr: { status: "ok" }, labs: { status: "ok" } },
      issuers: { "https://id.example": { status: "ok" } },
      degraded: [],
    });
    ledger.status = "failed";
    expect(health.readiness().status).toBe("audit-failed");
    ledger.status = "open";
    ledger.isStuck = true;
    expect(health.readiness()).toMatchObject({ status: "audit-failed", degraded: ["audit"] });
  });

  it("F12: tells certificates that do not do once, and shows them, and those that ran out, until others are there", () => {
    const { health, events, at } = watch();
    const DAY = 86_400_000;
    let expiresAt = DAY;
    health.certificatesOf("main", () => expiresAt);
    expect(health.readiness()).toMatchObject({
      certificates: { main: { expiresAt: "1970-01-02T00:00:00.000Z" } },
      degraded: [],
    });
    health.certificatesChanged("main", false, new Error("unfit"));
    health.certificatesChanged("main", false, new Error("unfit"));
    expect(events.map(({ code }) => code)).toEqual(["gateway/tls-reload-failed"]);
    expect(health.readiness().degraded).toEqual(["certificate main"]);
    health.certificatesChanged("main", true);
    expect(health.readiness().degraded).toEqual([]);
    at.now = DAY;
    expect(health.readiness().degraded).toEqual(["certificate main"]);
    expiresAt += DAY;
    expect(health.readiness().degraded).toEqual([]);
  });

  it("F12: tells once that certificates run out, and once that they have", () => {
    const { health, events, at } = watch();
    const DAY = 86_400_000;
    let expiresAt = 10 * DAY;
    health.certificatesOf("main", () => expiresAt);
    const told = (): string[] => {
      health.lookAtCertificates();
      return events.splice(0).map(({ level, code, facts }) => `${level} ${code} ${String(facts?.["expiresAt"])}`);
    };
    expect(told()).toEqual([]);
    at.now = 3 * DAY;
    expect(told()).toEqual(["warn gateway/certificate-expires 1970-01-11T00:00:00.000Z"]);
    expect(told()).toEqual([]);
    at.now = 10 * DAY;
    expect(told()).toEqual(["error gateway/certificate-expired 1970-01-11T00:00:00.000Z"]);
    expect(told()).toEqual([]);
    expiresAt = 40 * DAY;
    expect(told()).toEqual([]);
    at.now = 35 * DAY;
    expect(told()).toEqual(["warn gateway/certificate-expires 1970-02-10T00:00:00.000Z"]);
  });

  it("F12: shows each dependency that does not work as it should, in one list, and forgets what came back", () => {
    const shared: { redis: "up" | "down"; circuit: string } = { redis: "down", circuit: "open" };
    const health = watchHealth({
      ledgerState: () => ({ status: "open", durable: { entries: 0, hash: "" }, queuedBytes: 0 }),
      auditIsStuck: () => false,
      redisState: () => shared.redis,
      circuits: () => ({ ehr: { state: shared.circuit } }),
      now: () => 0,
      onEvent: () => undefined,
    });
    health.policyChanged("v", ["ehr"], ["https://id.example"]);
    health.keysChanged("https://id.example", false);
    health.upstreamFailed("ehr", new Error("refused"));
    expect(health.readiness()).toMatchObject({
      status: "ready",
      redis: "down",
      issuers: { "https://id.example": { status: "failing", since: "1970-01-01T00:00:00.000Z" } },
      degraded: ["redis", "upstream ehr", "circuit ehr", "issuer https://id.example"],
    });
    health.keysChanged("https://id.example", true);
    health.upstreamAnswered("ehr");
    Object.assign(shared, { redis: "up", circuit: "closed" });
    expect(health.readiness()).toMatchObject({ redis: "up", degraded: [] });
  });

  it("is not ready while draining", () => {
    const { health } = watch();
    health.draining();
    expect(health.readiness().status).toBe("draining");
  });

  it("F12: tells of a failing upstream once, and of its recovery once", () => {
    const { health, events, at } = watch();
    health.upstreamAnswered("ehr");
    at.now = 1000;
    health.upstreamFailed("ehr", new Error("refused"));
    health.upstreamFailed("ehr", new Error("refused"));
    expect(health.readiness()).toMatchObject({
      status: "ready",
      upstreams: { ehr: { status: "failing", since: "1970-01-01T00:00:01.000Z" }, labs: { status: "ok" } },
    });
    at.now = 4000;
    health.upstreamAnswered("ehr");
    health.upstreamAnswered("ehr");
    expect(events.map(({ code, facts }) => [code, facts])).toEqual([
      ["gateway/upstream-failed", { upstream: "ehr" }],
      ["gateway/upstream-recovered", { upstream: "ehr", afterMs: 3000 }],
    ]);
  });
});
