import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { type Answer, ask, EXPRESS, listen } from "@wardline-tools/test-kit";
import type { Request, Response } from "express";
import { describe, expect, it } from "vitest";
import { addTransform, afterAnswer, type BodyTransform, beforeAnswer, KEEP } from "../src/express.ts";
import { uncaught } from "./support/uncaught.ts";

type Handler = (req: Request, res: Response) => void;

const wrapping: BodyTransform = {
  name: "test/wrapping",
  stage: "redact",
  json: (body) => ({ kind: "replace", body: { body } }),
};
const FAILING: Readonly<Record<string, BodyTransform>> = {
  "throws over the head": {
    name: "test/throwing",
    stage: "rewrite",
    json: () => KEEP,
    opaque: () => KEEP,
    headers() {
      throw new Error("judge broke");
    },
  },
  "says in the head what no field can hold": {
    name: "test/malformed",
    stage: "rewrite",
    json: () => KEEP,
    opaque: () => KEEP,
    headers: () => ({ Location: "Patient/\u0100\n" }),
  },
};
const BODY = '{"resourceType":"Patient"}';
const WAYS: Readonly<Record<string, Handler>> = {
  "an object": (_req, res) => void res.json({ resourceType: "Patient" }),
  "a text": (_req, res) => void res.type("application/fhir+json").end(BODY),
  "a text that ends later": (_req, res) => {
    res.type("application/fhir+json").write(BODY);
    setTimeout(() => res.end(), 5);
  },
  "a coded text": (_req, res) =>
    void res.type("application/fhir+json").set("Content-Encoding", "gzip").end(gzipSync(BODY)),
  lines: (_req, res) => void res.type("application/fhir+ndjson").end(`${BODY}\n`),
  "another media type": (_req, res) => void res.type("application/pdf").end(BODY),
  "no body": (_req, res) => void res.end(),
};

describe.each(EXPRESS)("an answer that fails on %s", (_name, express) => {
  const serve = (handler: Handler, prepare: (res: Response) => void): Promise<string> => {
    const app = express();
    app.use((_req, res, next) => {
      prepare(res);
      next();
    });
    app.get("/", handler);
    return listen(app);
  };
  const answered = async (handler: Handler, transform: BodyTransform): Promise<Answer> =>
    ask(await serve(handler, (res) => addTransform(res, transform)));

  describe.each(Object.entries(FAILING))("a judge that %s", (_how, transform) => {
    it.each(Object.entries(WAYS))("S12: has not permitted %s", async (_way, handler) => {
      const answer = await answered(handler, transform);
      expect([answer.status, answer.code]).toEqual([500, "policy-types/judge-failed"]);
      expect(answer.headers["location"]).toBe(undefined);
      expect(answer.text).not.toContain("Patient");
    });
  });

  it.each([
    [
      "at once",
      (text: string): Handler =>
        (_req, res) =>
          void res.type("application/json").end(text),
    ],
    [
      "coded",
      (text: string): Handler =>
        (_req, res) =>
          void res.type("application/json").set("Content-Encoding", "gzip").end(gzipSync(text)),
    ],
    [
      "in a line",
      (text: string): Handler =>
        (_req, res) =>
          void res.type("application/ndjson").end(`${text}\n`),
    ],
  ])("S12: a body nested more deeply than it can be written, given %s, is refused", async (_when, given) => {
    // Some of these can be read, and judged, and not be written.
    for (let depth = 1000; depth <= 9000; depth += 500) {
      const text = `${'{"a":'.repeat(depth)}1.10${"}".repeat(depth)}`;
      const answer = await answered(given(text), wrapping);
      expect([200, 502]).toContain(answer.status);
      if (answer.status === 200) expect(answer.text.trim()).toBe(`{"body":${text}}`);
      else expect(answer.code).toBe("policy-types/answer-unreadable");
    }
  });

  it.each<[string, Handler]>([
    ["Express answers", () => undefined],
    ["the application answers", (_req, res) => void res.status(503).json({ error: "unavailable" })],
  ])(
    "S12: an answer whose handler fails half-way while it is held never looks whole, though %s",
    async (_who, answer) => {
      const app = express();
      app.use((_req, res, next) => {
        beforeAnswer(res, () => sleep(20, undefined));
        next();
      });
      app.get("/", (_req, res) => {
        res.type("text/plain").write("the first part");
        throw new Error("broke off");
      });
      app.use((error: unknown, req: Request, res: Response, next: (error: unknown) => void) => {
        answer(req, res);
        if (res.statusCode === 200) next(error);
      });
      const received = await ask(await listen(app));
      expect([received.status, received.code]).toEqual([500, "policy-types/answer-broken-off"]);
      expect(received.text).not.toContain("the first part");
    },
  );

  it("an answer that is whole is sent though its handler fails while it is held", async () => {
    const received = await ask(
      await serve(
        (_req, res) => {
          res.json({ resourceType: "Patient" });
          throw new Error("afterwards");
        },
        (res) => beforeAnswer(res, () => sleep(20, undefined)),
      ),
    );
    expect([received.status, received.text]).toEqual([200, BODY]);
  });

  it("S12: what was judged is what leaves, though the handler uses its buffer again", async () => {
    const buffer = Buffer.from(BODY);
    const received = await ask(
      await serve(
        (_req, res) => {
          res.type("application/fhir+json").end(buffer);
          buffer.write("Hidden!", BODY.indexOf("Patient"));
        },
        (res) => {
          addTransform(res, { name: "test/keeping", stage: "guard", json: () => KEEP });
          beforeAnswer(res, () => sleep(20, undefined));
        },
      ),
    );
    expect([received.status, received.text]).toEqual([200, BODY]);
  });

  it("F13: one who fails to hear of the end keeps nobody else from it, and is not overlooked", async () => {
    const failed = uncaught();
    const told: string[] = [];
    const url = await serve(
      (_req, res) => void res.json({}),
      (res) => {
        afterAnswer(res, () => told.push("before"));
        afterAnswer(res, () => {
          throw new Error("a listener broke");
        });
        afterAnswer(res, () => told.push("behind"));
      },
    );
    expect((await ask(url)).status).toBe(200);
    expect((await failed)[0]).toMatchObject({ message: "a listener broke" });
    expect(told).toEqual(["before", "behind"]);
  });

  it("204 has no Content-Length, whatever the handler writes", async () => {
    const { status, headers, text } = await answered((_req, res) => {
      res.status(204).type("application/json");
      res.end("{}");
    }, wrapping);
    expect([status, headers["content-length"], text]).toEqual([204, undefined, ""]);
  });
});
