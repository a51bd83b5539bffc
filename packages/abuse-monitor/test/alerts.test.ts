import { Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import winston from "winston";
import { createAlerts } from "../src/alerts/alert.ts";
import { renderAlertFacts, renderAlertLine, renderMeasureFacts, simulate } from "../src/index.ts";
import type { Sighting } from "../src/watch/sighting.ts";
import type { Observation } from "../src/watch/watch.ts";
import { AT, principal, record } from "./support/records.ts";

const WHOM = { kind: "subject", pseudonym: "00112233445566aa" } as const;

function observation(changes: Partial<Observation> & { readonly at?: number } = {}): Observation {
  const { at = AT, ...rest } = changes;
  return {
    pattern: "bulk-access",
    severity: "high",
    whom: WHOM,
    findings: [{ measure: "distinct-patients", value: 300, threshold: 100, windowSeconds: 86_400 }],
    sighting: { at, requestId: "r-1", zone: "internal" } as Sighting,
    ...rest,
  };
}

describe("an alert", () => {
  it("is told once in an hour for each pattern and caller, and says how often it was held back", () => {
    const alerts = createAlerts(3600);
    const first = alerts.raise(observation());
    expect(first).toMatchObject({
      pattern: "bulk-access",
      severity: "high",
      whom: WHOM,
      suppressed: 0,
      requestId: "r-1",
    });
    for (let n = 1; n <= 5; n++) expect(alerts.raise(observation({ at: AT + n }))).toBeUndefined();
    expect(alerts.raise(observation({ at: AT + 3_600_000 }))).toMatchObject({ suppressed: 5 });
  });

  it("is told at once when it has become worse, and not when it has become better", () => {
    const alerts = createAlerts(3600);
    alerts.raise(observation());
    expect(alerts.raise(observation({ severity: "critical", at: AT + 1 }))?.severity).toBe("critical");
    expect(alerts.raise(observation({ severity: "high", at: AT + 2 }))).toBeUndefined();
  });

  it("of another caller or another pattern is another alert", () => {
    const alerts = createAlerts(3600);
    const ids = [
      alerts.raise(observation()),
      alerts.raise(observation({ pattern: "scope-probing" })),
      alerts.raise(observation({ whom: { kind: "client", pseudonym: WHOM.pseudonym } })),
      alerts.raise(observation({ whom: { kind: "subject", pseudonym: "ff112233445566aa" } })),
    ].map((alert) => alert?.id);
    expect(ids).not.toContain(undefined);
    expect(new Set(ids).size).toBe(4);
  });

  it("has the id that every other instance gives it", () => {
    expect(createAlerts(3600).raise(observation())?.id).toBe(
      createAlerts(3600).raise(observation({ at: AT + 60_000 }))?.id,
    );
  });

  it("is forgotten when too many others were told: memory is bounded", () => {
    const alerts = createAlerts(3600, 10);
    for (let n = 0; n < 11; n++) alerts.raise(observation({ whom: { kind: "subject", pseudonym: String(n) } }));
    expect(alerts.raise(observation({ whom: { kind: "subject", pseudonym: "0" } }))).toBeDefined();
    expect(alerts.raise(observation({ whom: { kind: "subject", pseudonym: "10" } }))).toBeUndefined();
  });
});

describe("A14: what leaves the monitor names nobody", () => {
  const secrets = ["dr-geheim", "app-geheim", "p-4711", "198.51.100.77", "role-geheim"];
  async function alertOfSecrets() {
    const records = Array.from({ length: 40 }, (_, n) =>
      record({
        receivedAt: AT + n * 1000,
        peerAddress: "198.51.100.77",
        principal: principal("dr-geheim", { clientId: "app-geheim", roles: ["role-geheim"] }),
        resource: `Patient/p-${4711 + n}`,
        patients: [`p-${4711 + n}`],
      }),
    );
    const { alerts, measures } = await simulate(records, { responses: { "patient-enumeration": { action: "block" } } });
    return {
      alert: alerts[0] as NonNullable<(typeof alerts)[0]>,
      measure: measures[0] as NonNullable<(typeof measures)[0]>,
    };
  }

  it.each(["alert", "facts", "line", "measure facts"])("%s", async (form) => {
    const { alert, measure } = await alertOfSecrets();
    const forms: Readonly<Record<string, unknown>> = {
      alert,
      facts: renderAlertFacts(alert),
      line: renderAlertLine(alert),
      "measure facts": renderMeasureFacts({ kind: "imposed", measure }),
    };
    const text = JSON.stringify(forms[form]);
    expect(text.length).toBeGreaterThan(100);
    for (const secret of secrets) expect(text).not.toContain(secret);
  });
});

describe("where alerts go", () => {
  const [alert] = [createAlerts(3600).raise(observation())].filter((one) => one !== undefined);

  it("the facts of a security alert say what, how much, over what time and of whom", () => {
    expect(renderAlertFacts(alert as never)).toEqual({
      success: false,
      because: "more is read in a day than the caller's history or its peers explain",
      zone: "internal",
      details: {
        alert: alert?.id,
        pattern: "bulk-access",
        severity: "high",
        at: "2026-01-12T09:00:00.000Z",
        "subject-pseudonym": WHOM.pseudonym,
        "distinct-patients": 300,
        "distinct-patients-threshold": 100,
        "distinct-patients-seconds": 86_400,
        "request-id": "r-1",
        suppressed: 0,
      },
    });
  });

  it("a winston logger takes the line", () => {
    const lines: string[] = [];
    const stream = new Writable({
      write(chunk: Buffer, _encoding, done) {
        lines.push(chunk.toString());
        done();
      },
    });
    const transports = [new winston.transports.Stream({ stream })];
    const logger = winston.createLogger({ format: winston.format.json(), transports });
    logger.log(renderAlertLine(alert as never));
    expect(JSON.parse(lines[0] as string)).toMatchObject({
      level: "error",
      message: "abuse alert",
      alert: { id: alert?.id },
    });
  });

  it.each([
    ["low", "info"],
    ["medium", "warn"],
    ["high", "error"],
    ["critical", "error"],
  ] as const)("severity %s is logged as %s", (severity, level) => {
    expect(renderAlertLine({ ...(alert as NonNullable<typeof alert>), severity }).level).toBe(level);
  });
});
