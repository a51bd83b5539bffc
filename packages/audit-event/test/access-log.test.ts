import { Writable } from "node:stream";
import { ask, EXPRESS, listen } from "@wardline-tools/test-kit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createLogger, format, transports } from "winston";
import { accessLog, auditEvent, renderAccessLine } from "../src/index.ts";
import { memoryLedger } from "./support/memory-ledger.ts";
import { READ, record, SOURCE } from "./support/records.ts";

describe("the operational line", () => {
  it("S14: has these fields and no others", () => {
    expect(renderAccessLine(READ)).toEqual({
      level: "info",
      message: "request answered",
      requestId: "req-1",
      receivedAt: "2026-01-31T12:00:00.000Z",
      latencyMs: 12.5,
      zone: "patient",
      apiType: "patient-access",
      routeId: "patient",
      policyVersion: "sha256:abc",
      method: "GET",
      interaction: "read",
      resourceType: "Patient",
      clientId: "app-1",
      outcome: "permit",
      status: 200,
      completed: true,
      requestBytes: 0,
      responseBytes: 2500,
    });
  });

  it("A14: holds no patient, resource, subject, address, parameter or reason, whatever they are", () => {
    const secret = fc.stringMatching(/^zq[a-z0-9]{8}$/);
    fc.assert(
      fc.property(secret, (value) => {
        const line = renderAccessLine(
          record({
            resource: `Patient/${value}`,
            patients: [value],
            parameters: [value],
            operation: value,
            peerAddress: value,
            forwardedAddress: value,
            clientCertificate: { subject: value, fingerprint256: value },
            decisions: [{ control: "smart-auth", kind: "permit", because: [value] }],
            principal: {
              issuer: value,
              subject: value,
              organisation: value,
              device: value,
              fhirUser: value,
              roles: [value],
              purposeOfUse: [value],
              scopes: [value],
              tokenId: value,
              tenant: value,
            },
          }),
        );
        expect(JSON.stringify(line)).not.toContain(value);
      }),
      { numRuns: 20 },
    );
  });

  it("S14: escapes every control character and bounds every text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 400 }), (text) => {
        const line = renderAccessLine(record({ routeId: `a\r\n\u2028\u202e${text}` }));
        const written = String(line["routeId"]);
        expect(written).toMatch(/^a\\u000d\\u000a\\u2028\\u202e/);
        expect(written).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u);
        expect(written.length).toBeLessThanOrEqual(256 * 6);
      }),
      { numRuns: 200 },
    );
  });

  it.each([
    [200, "permit", "info"],
    [404, "permit", "info"],
    [403, "deny", "warn"],
    [500, "permit", "error"],
    [503, "deny", "error"],
  ] as const)("%i by %s is %s", (status, outcome, level) => {
    expect(renderAccessLine(record({ status, outcome })).level).toBe(level);
  });
});

describe.each(EXPRESS)("a winston logger on %s", (_name, express) => {
  function winstonLines(): { logger: ReturnType<typeof createLogger>; lines: Record<string, unknown>[] } {
    const lines: Record<string, unknown>[] = [];
    const stream = new Writable({
      write(chunk: Buffer, _encoding, done) {
        lines.push(JSON.parse(chunk.toString()) as Record<string, unknown>);
        done();
      },
    });
    return { logger: createLogger({ format: format.json(), transports: [new transports.Stream({ stream })] }), lines };
  }

  it("gets one JSON line for each request from accessLog() alone", async () => {
    const { logger, lines } = winstonLines();
    const app = express();
    app.use(accessLog(logger));
    app.get("/ok", (_req, res) => void res.json({}));
    const url = await listen(app);
    await ask(`${url}/ok?name=Chalmers`, { headers: { "X-Request-Id": "r1" } });
    await ask(`${url}/missing`, { headers: { "X-Request-Id": "r2" } });
    expect(lines.map(({ requestId, status, level }) => [requestId, status, level])).toEqual([
      ["r1", 200, "info"],
      ["r2", 404, "info"],
    ]);
    expect(JSON.stringify(lines)).not.toContain("Chalmers");
  });

  it("gets it from auditEvent({ logger }) for a refusal of its own too", async () => {
    const { logger, lines } = winstonLines();
    const ledger = memoryLedger();
    ledger.mode = "fail";
    const app = express();
    app.use(auditEvent({ ledger, source: SOURCE, logger }));
    await ask(await listen(app));
    expect(lines).toMatchObject([{ status: 503, problem: "audit-event/ledger-unavailable", level: "error" }]);
  });

  it("may throw without costing the request", async () => {
    const logger = {
      log() {
        throw new Error("the log broke");
      },
    };
    const app = express();
    app.use(accessLog(logger));
    app.use((_req, res) => void res.json({}));
    expect((await ask(await listen(app))).status).toBe(200);
  });
});
