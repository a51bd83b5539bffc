import { readdirSync, readFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { Readable } from "node:stream";
import { setTimeout } from "node:timers/promises";
import type { Problem } from "@wardline/policy-types";
import { addTransform, contextOf, KEEP, requireControls, sendProblem } from "@wardline/policy-types/express";
import { ask, EXPRESS, listen } from "@wardline-tools/test-kit";
import type { Request, Response } from "express";
import { describe, expect, it, vi } from "vitest";
import {
  type AuditDegradation,
  type AuditEvent,
  type AuditEventOptions,
  auditEvent,
  type Ledger,
  openLedger,
  verifyLedger,
} from "../src/index.ts";
import { emptyFolder } from "./support/folders.ts";
import { ledgerContract } from "./support/ledger-contract.ts";
import { type MemoryLedger, memoryLedger } from "./support/memory-ledger.ts";
import { SOURCE } from "./support/records.ts";

ledgerContract("the memory ledger of these tests", async () => memoryLedger());

type Handler = (req: Request, res: Response) => unknown;
const FORBIDDEN: Problem = { code: "test/forbidden", status: 403, issue: "forbidden", detail: "It is not for you." };

const statusOf = ({ entity }: AuditEvent): unknown => detailOf(entity, "status");
const followsUp = ({ entity }: AuditEvent): unknown => detailOf(entity, "follows-up");
const detailOf = (entity: AuditEvent["entity"], type: string): unknown =>
  entity.flatMap((one) => one.detail ?? []).find((one) => one.type === type)?.valueString;
const requestIdOf = ({ entity }: AuditEvent): unknown =>
  entity.find(({ type }) => type.code === "XrequestId")?.what?.identifier?.value;

async function until(what: () => boolean): Promise<void> {
  for (let waited = 0; waited < 5000 && !what(); waited += 5) await setTimeout(5);
  expect(what()).toBe(true);
}

describe.each(EXPRESS)("auditEvent() on %s", (_name, express) => {
  interface Edge {
    readonly url: string;
    readonly handled: () => number;
  }

  async function serve(ledger: Ledger, handler: Handler, options: Partial<AuditEventOptions> = {}): Promise<Edge> {
    let handled = 0;
    const app = express();
    app.use(auditEvent({ ledger, source: SOURCE, onDegraded: () => undefined, ...options }));
    app.use(requireControls(["audit-event"]));
    app.use((req, res) => {
      handled += 1;
      return handler(req, res);
    });
    app.use(((_error, _req, res, _next) => void res.status(500).json({})) as import("express").ErrorRequestHandler);
    return { url: await listen(app), handled: () => handled };
  }

  const permitted: Handler = (req, res) => {
    contextOf(req).patients.add("p1");
    res.type("application/fhir+json").send('{"resourceType":"Patient","id":"p1"}');
  };

  it("A15: records a permitted request, with its id and its patient", async () => {
    const ledger = memoryLedger();
    const { url } = await serve(ledger, permitted);
    const answer = await ask(url, { headers: { "X-Request-Id": "abc-1" } });
    expect(answer.status).toBe(200);
    expect(ledger.events.map((event) => [event.outcome, statusOf(event), requestIdOf(event)])).toEqual([
      ["0", "200", "abc-1"],
    ]);
    expect(ledger.events[0]?.entity).toContainEqual(expect.objectContaining({ what: { reference: "Patient/p1" } }));
    await setTimeout(20);
    expect(ledger.events.length).toBe(1);
  });

  it.each(["before-response", "async"] as const)("records what an answer says of caches (%s)", async (durability) => {
    const ledger = memoryLedger();
    const cached: Handler = (req, res) => {
      if (req.url === "/cached") res.set("Cache-Status", "edge; hit; ttl=30");
      permitted(req, res);
    };
    const { url } = await serve(ledger, cached, { durability });
    await ask(`${url}/cached`);
    await ask(`${url}/fresh`);
    await until(() => ledger.events.length === 2);
    expect(ledger.events.map(({ entity }) => detailOf(entity, "cache-status"))).toEqual([
      "edge; hit; ttl=30",
      undefined,
    ]);
  });

  it("A15: records a refusal", async () => {
    const ledger = memoryLedger();
    const { url } = await serve(ledger, (_req, res) => sendProblem(res, FORBIDDEN));
    expect((await ask(url)).status).toBe(403);
    expect(ledger.events).toMatchObject([{ outcome: "4", outcomeDesc: "refused with 403 test/forbidden" }]);
  });

  it("A15: records a handler that crashed", async () => {
    const ledger = memoryLedger();
    const { url } = await serve(ledger, () => {
      throw new Error("boom");
    });
    expect((await ask(url)).status).toBe(500);
    expect(ledger.events).toMatchObject([{ outcome: "8", outcomeDesc: "the server answered 500" }]);
  });

  it("A15: records a judge's refusal of what the handler answered, once and as it was sent", async () => {
    const ledger = memoryLedger();
    const { url } = await serve(ledger, (_req, res) => {
      addTransform(res, { name: "no", stage: "guard", json: () => ({ kind: "refuse", problem: FORBIDDEN }) });
      res.json({ resourceType: "Patient" });
    });
    expect((await ask(url)).status).toBe(403);
    expect(ledger.events.map(statusOf)).toEqual(["403"]);
  });

  it.each([true, false])("records HEAD once (judged: %s)", async (judged) => {
    const ledger = memoryLedger();
    const { url } = await serve(ledger, (req, res) => {
      if (judged) addTransform(res, { name: "yes", stage: "guard", json: () => KEEP });
      permitted(req, res);
    });
    const answer = await ask(url, { method: "HEAD" });
    expect([answer.status, answer.bytes.length]).toEqual([200, 0]);
    await setTimeout(20);
    expect(ledger.events.map((event) => detailOf(event.entity, "method"))).toEqual(["HEAD"]);
  });

  it("F9: sends no byte of an answer before its record is on disk", async () => {
    const folder = await emptyFolder();
    const ledger = await openLedger({ folder });
    const { url } = await serve(ledger, (_req, res) => void Readable.from(["a", "b", "c"]).pipe(res));
    const onDisk = (): string =>
      readdirSync(folder)
        .filter((file) => file.endsWith(".jsonl"))
        .map((file) => readFileSync(join(folder, file), "utf8"))
        .join("");
    for (let n = 0; n < 20; n++) {
      await new Promise<void>((resolve, reject) => {
        const sent = request(url, { headers: { "X-Request-Id": `request-${n}-` } }, (res) => {
          expect(onDisk()).toContain(`request-${n}-`);
          res.resume().once("end", resolve);
        });
        sent.once("error", reject);
        sent.end();
      });
    }
    await ledger.close();
  });

  it("F9: holds head and body while the ledger is at work", async () => {
    const ledger = memoryLedger();
    ledger.mode = "hang";
    const { url } = await serve(ledger, (_req, res) => {
      res.writeHead(200, { "content-type": "text/plain" });
      res.flushHeaders();
      res.write("secret");
      res.end();
    });
    let answered = false;
    const answer = ask(url).then((whole) => {
      answered = true;
      return whole;
    });
    await setTimeout(100);
    expect(answered).toBe(false);
    ledger.mode = "work";
    expect((await answer).text).toBe("secret");
  });

  it("records every one of 200 concurrent requests", async () => {
    const folder = await emptyFolder();
    const ledger = await openLedger({ folder });
    const { url } = await serve(ledger, permitted);
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, n) => ask(url, { headers: { "X-Request-Id": `c-${n}` } })),
    );
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    await ledger.close();
    expect(await verifyLedger(folder)).toMatchObject({ ok: true, entries: 200 });
  });

  it("tells in a second event that the client left in the middle of the answer", async () => {
    const ledger = memoryLedger();
    const { url } = await serve(ledger, (_req, res) => {
      res.write("x".repeat(1000));
    });
    const sent = request(url, { headers: { "X-Request-Id": "left-1" } }, (res) => {
      res.once("data", () => sent.destroy());
    });
    sent.once("error", () => undefined);
    sent.end();
    await until(() => ledger.events.length === 2);
    expect(ledger.events.map((event) => [event.outcome, followsUp(event), requestIdOf(event)])).toEqual([
      ["0", undefined, "left-1"],
      ["4", "the answer was not sent whole", "left-1"],
    ]);
  });

  it("records a client that left before there was an answer", async () => {
    const ledger = memoryLedger();
    const { url, handled } = await serve(ledger, () => undefined);
    const sent = request(url);
    sent.once("error", () => undefined);
    sent.end();
    await until(() => handled() === 1);
    sent.destroy();
    await until(() => ledger.events.length === 1);
    expect(ledger.events).toMatchObject([{ outcome: "4", outcomeDesc: expect.stringContaining("ended") as unknown }]);
  });

  it("records patients that come to light while the body is streamed", async () => {
    const ledger = memoryLedger();
    const { url } = await serve(ledger, async (req, res) => {
      contextOf(req).patients.add("p1");
      res.write("first");
      await setTimeout(30);
      contextOf(req).patients.add("p2");
      res.end("second");
    });
    await ask(url);
    await until(() => ledger.events.length === 2);
    const patients = ledger.events.map(({ entity }) => entity.find(({ role }) => role?.code === "1")?.what?.reference);
    expect(patients).toEqual(["Patient/p1", "Patient/p2"]);
  });

  describe("when the ledger cannot record", () => {
    const refusal = {
      resourceType: "OperationOutcome",
      issue: [{ code: "transient", details: { coding: [{ code: "audit-event/ledger-unavailable" }] } }],
    };

    it.each<[MemoryLedger["mode"], number]>([
      ["reject", 1],
      ["hang", 1],
      ["fail", 0],
    ])("F9: a ledger that would %s answers 503 and nothing of the answer", async (mode, runs) => {
      const ledger = memoryLedger();
      ledger.mode = mode;
      const { url, handled } = await serve(ledger, permitted, { appendDeadlineMs: 50 });
      const answer = await ask(url);
      expect(answer.status).toBe(503);
      expect(answer.headers["retry-after"]).toBe("5");
      expect(answer.headers["etag"]).toBe(undefined);
      expect(JSON.parse(answer.text)).toMatchObject(refusal);
      expect(handled()).toBe(runs);
    });

    it("F2: a late append stays, and a second event tells that its answer was not sent", async () => {
      const ledger = memoryLedger();
      ledger.mode = "hang";
      const { url } = await serve(ledger, permitted, { appendDeadlineMs: 50 });
      expect((await ask(url)).status).toBe(503);
      await setTimeout(20);
      ledger.mode = "work";
      await until(() => ledger.events.length === 2);
      expect(ledger.events.map((event) => [statusOf(event), followsUp(event)])).toEqual([
        ["200", undefined],
        ["503", "another answer was sent"],
      ]);
    });

    it("F9: a disk that is full answers 503", async () => {
      const ledger = await openLedger({ folder: await emptyFolder(), queueBytes: 1024 });
      const { url } = await serve(ledger, (req, res) => {
        for (let n = 0; n < 10; n++) contextOf(req).patients.add(`p${n}`);
        res.json({});
      });
      expect((await ask(url)).status).toBe(503);
      await ledger.close();
      expect((await ask(url)).status).toBe(503);
    });

    it.each<MemoryLedger["mode"]>(["reject", "hang", "fail"])(
      "onFailure: continue answers without a record when it would %s, and says so",
      async (mode) => {
        const ledger = memoryLedger();
        ledger.mode = mode;
        const changes: AuditDegradation[] = [];
        const { url } = await serve(ledger, permitted, {
          appendDeadlineMs: 50,
          onFailure: "continue",
          onDegraded: (change) => changes.push(change),
        });
        expect((await ask(url)).status).toBe(200);
        expect((await ask(url)).status).toBe(200);
        expect(changes).toMatchObject([{ kind: "degraded", unrecorded: 1 }]);
        ledger.mode = "work";
        expect((await ask(url)).status).toBe(200);
        expect(changes.slice(1)).toMatchObject([{ kind: "recovered", unrecorded: 2 }]);
        expect(changes[1]?.code).toBe(changes[0]?.code);
      },
    );

    it("F12: warns once per change when nobody listens, and survives a listener that throws", async () => {
      const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => undefined);
      const app = express();
      const ledger = memoryLedger();
      ledger.mode = "reject";
      app.use("/a", auditEvent({ ledger, source: SOURCE }));
      app.use(
        "/b",
        auditEvent({
          ledger,
          source: SOURCE,
          onDegraded: () => {
            throw new Error("listener broke");
          },
        }),
      );
      app.use((_req, res) => void res.json({}));
      const url = await listen(app);
      for (const path of ["/a", "/a", "/b"]) expect((await ask(url + path)).status).toBe(503);
      expect(warned).toHaveBeenCalledTimes(1);
      warned.mockRestore();
    });
  });

  describe("durability: async", () => {
    it("answers without waiting, and records when the answer has ended", async () => {
      const ledger = memoryLedger();
      ledger.mode = "hang";
      const { url } = await serve(ledger, permitted, { durability: "async" });
      expect((await ask(url)).status).toBe(200);
      expect(ledger.events.length).toBe(0);
      ledger.mode = "work";
      await until(() => ledger.events.length === 1);
      expect(ledger.events.map(statusOf)).toEqual(["200"]);
    });

    it("refuses all the same once the ledger has failed", async () => {
      const ledger = memoryLedger();
      ledger.mode = "fail";
      const { url, handled } = await serve(ledger, permitted, { durability: "async" });
      expect((await ask(url)).status).toBe(503);
      expect(handled()).toBe(0);
    });
  });

  it("A16: records the same whatever NODE_ENV says", async () => {
    const before = process.env["NODE_ENV"];
    const seen: unknown[] = [];
    for (const environment of ["production", "development"]) {
      process.env["NODE_ENV"] = environment;
      const ledger = memoryLedger();
      const { url } = await serve(ledger, permitted);
      await ask(url);
      seen.push(ledger.events.map(({ outcome, agent, type }) => ({ outcome, agents: agent.length, type })));
    }
    process.env["NODE_ENV"] = before;
    expect(seen[0]).toEqual(seen[1]);
  });
});
