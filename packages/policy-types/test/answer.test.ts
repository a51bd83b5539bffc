import { writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { type Answer, ask, EXPRESS, listen } from "@wardline-tools/test-kit";
import type { Request, Response } from "express";
import { describe, expect, it, vi } from "vitest";
import {
  addTransform,
  afterAnswer,
  type BodyTransform,
  type BodyVerdict,
  beforeAnswer,
  contextOf,
  type Json,
  KEEP,
  sendProblem,
} from "../src/express.ts";
import type { AccessRecord, Problem } from "../src/index.ts";

const SECRET = "Chalmers";
const REFUSED: Problem = {
  code: "test/refused",
  status: 404,
  issue: "not-found",
  detail: "There is no such resource.",
};

/** Removes `name` wherever it stands at the top; refuses a body marked `hidden`; drops a line marked `drop`. */
const withoutName: BodyTransform = {
  name: "test/without-name",
  stage: "redact",
  json(body): BodyVerdict {
    if (body === null || typeof body !== "object" || Array.isArray(body)) return KEEP;
    if (body["hidden"] === true) return { kind: "refuse", problem: REFUSED };
    if (body["drop"] === true) return { kind: "drop" };
    if (body["explode"] === true) throw new Error("judge broke");
    if (!("name" in body)) return KEEP;
    const { name: _, ...rest } = body;
    return { kind: "replace", body: rest };
  },
};

const PATIENT = { resourceType: "Patient", id: "1", name: SECRET };
const TEXT = JSON.stringify(PATIENT);
const FOLDER = await mkdtemp(join(tmpdir(), "answer-"));
writeFileSync(join(FOLDER, "patient.json"), TEXT);

type Handler = (req: Request, res: Response) => void;

const json = (res: Response): Response => res.type("application/fhir+json");

/** S13: every way a handler can answer. */
const WAYS: Readonly<Record<string, Handler>> = {
  "res.json": (_req, res) => void json(res).json(PATIENT),
  "res.send of an object": (_req, res) => void res.send(PATIENT),
  "res.send of a string": (_req, res) => void json(res).send(TEXT),
  "res.send of a Buffer": (_req, res) => void json(res).send(Buffer.from(TEXT)),
  "res.end": (_req, res) => void json(res).end(TEXT),
  "res.end in latin1": (_req, res) => void json(res).end(TEXT, "latin1"),
  "write, then end": (_req, res) => {
    json(res).write(TEXT.slice(0, 10));
    res.end(TEXT.slice(10));
  },
  "writes with callbacks": (_req, res) => {
    json(res).write(TEXT.slice(0, 10), () => res.write(Buffer.from(TEXT.slice(10)), "utf8", () => res.end()));
  },
  "writeHead with headers and end": (_req, res) =>
    void res
      .writeHead(200, "Fine", { "content-type": "application/fhir+json", "content-length": TEXT.length })
      .end(TEXT),
  "writeHead with an array of headers": (_req, res) =>
    void res.writeHead(200, ["content-type", "application/json"]).end(TEXT),
  "flushHeaders, then end": (_req, res) => {
    json(res).flushHeaders();
    res.end(TEXT);
  },
  "a pipe": (_req, res) => void Readable.from([TEXT.slice(0, 5), TEXT.slice(5)]).pipe(json(res)),
  sendFile: (_req, res) => res.sendFile(join(FOLDER, "patient.json")),
  "a gzip body": (_req, res) => void json(res).set("Content-Encoding", "gzip").end(gzipSync(TEXT)),
  "a deflate body": (_req, res) => void json(res).set("Content-Encoding", "deflate").end(deflateSync(TEXT)),
  "a brotli body": (_req, res) => void json(res).set("Content-Encoding", "br").end(brotliCompressSync(TEXT)),
};

describe.each(EXPRESS)("the way out on %s", (_name, express) => {
  async function serve(handler: Handler, transforms: readonly BodyTransform[] = [withoutName]): Promise<string> {
    const app = express();
    app.use((_req, res, next) => {
      for (const transform of transforms) addTransform(res, transform);
      next();
    });
    app.get("/", handler);
    return listen(app);
  }

  describe.each(Object.entries(WAYS))("S13: %s", (_way, handler) => {
    it("is judged, with a true length and tag", async () => {
      const answer = await ask(await serve(handler));
      expect(answer.status).toBe(200);
      expect(JSON.parse(answer.text)).toEqual({ resourceType: "Patient", id: "1" });
      expect(answer.headers["content-length"]).toBe(String(answer.bytes.length));
      expect(answer.headers["content-encoding"]).toBe(undefined);
    });

    it("is judged for HEAD too, and sends the head only", async () => {
      const answer = await ask(await serve(handler), { method: "HEAD" });
      expect(answer.status).toBe(200);
      expect(answer.headers["content-length"]).toBe(String('{"resourceType":"Patient","id":"1"}'.length));
      expect(answer.bytes.length).toBe(0);
    });

    it("is sent untouched when no transform is registered", async () => {
      const answer = await ask(await serve(handler, []));
      expect(answer.status).toBe(200);
      expect(answer.headers["content-encoding"] === undefined ? answer.text : SECRET).toContain(SECRET);
    });

    it("is refused whole when judged so, whatever the method", async () => {
      const refuse: BodyTransform = { ...withoutName, json: () => ({ kind: "refuse", problem: REFUSED }) };
      const url = await serve(handler, [refuse]);
      const answer = await ask(url);
      expect(answer.status).toBe(404);
      expect(answer.headers["content-type"]).toBe("application/fhir+json; charset=utf-8");
      expect(answer.headers["etag"]).toBe(undefined);
      expect(answer.headers["last-modified"]).toBe(undefined);
      expect(answer.text).not.toContain(SECRET);
      expect(JSON.parse(answer.text)).toMatchObject({
        resourceType: "OperationOutcome",
        issue: [{ code: "not-found" }],
      });
      expect((await ask(url, { method: "HEAD" })).status).toBe(404);
    });
  });

  const status = async (handler: Handler, transforms?: readonly BodyTransform[]): Promise<Answer> =>
    ask(await serve(handler, transforms));

  it("sends the handler's own bytes when every judge keeps the body, decimals and spacing included", async () => {
    const text = '{ "valueQuantity": {"value": 2.00},\n "id": "1" }';
    const answer = await status((_req, res) => void json(res).end(text));
    expect(answer.text).toBe(text);
  });

  it.each([
    ["a member", '{"id":"hidden","id":"1"}', '{"id":"1"}'],
    [
      "a member deep inside, in other letters",
      '{"a":[{"na\\u006de":"hidden" , "name" :1.50}]}',
      '{"a":[{"name":1.50}]}',
    ],
    ["a whole list", '{"contained":[{"id":"hidden"}],"contained":[]}', '{"contained":[]}'],
    ["a name beside a string that begins with a colon", '{"s":":1","id":"hidden","id":":"}', '{"s":":1","id":":"}'],
  ])(
    "S12: what the text repeats is not what was judged, so %s repeated does not leave",
    async (_what, text, judged) => {
      expect((await status((_req, res) => void json(res).end(text))).text).toBe(judged);
      const lines = await status(
        (_req, res) => void res.type("application/fhir+ndjson").end(`${text}\n{ "id":"2" }\n`),
      );
      expect(lines.text).toBe(`${judged}\n{ "id":"2" }\n`);
    },
  );

  it("keeps the precision of decimals in a body that was changed", async () => {
    const text = '{"name":"x","a":2.00,"b":[1e3,0.10,12345678901234567890],"s":": 2.00,","n":2.0}';
    const answer = await status((_req, res) => void json(res).end(text));
    expect(answer.text).toBe('{"a":2.00,"b":[1e3,0.10,12345678901234567890],"s":": 2.00,","n":2.0}');
  });

  it("runs transforms in the order of their stages, whatever the order of registration", async () => {
    const seen: string[] = [];
    const note = (stage: BodyTransform["stage"]): BodyTransform => ({
      name: stage,
      stage,
      json() {
        seen.push(stage);
        return KEEP;
      },
    });
    await status((_req, res) => void res.json({}), [note("encrypt"), note("guard"), note("redact")]);
    expect(seen).toEqual(["guard", "redact", "encrypt"]);
  });

  it.each<[string, Handler]>([
    ["another media type", (_req, res) => void res.type("application/pdf").end(SECRET)],
    ["no media type", (_req, res) => void res.end(TEXT)],
    ["JSON that is not", (_req, res) => void json(res).end(`{"name":"${SECRET}"`)],
    ["ill-formed UTF-8", (_req, res) => void json(res).end(Buffer.from([0x22, 0xff, 0x22]))],
    ["a byte order mark", (_req, res) => void json(res).end(`\uFEFF${TEXT}`)],
    ["an unknown content coding", (_req, res) => void json(res).set("Content-Encoding", "zstd").end(TEXT)],
    ["a broken content coding", (_req, res) => void json(res).set("Content-Encoding", "gzip").end(TEXT)],
    ["a part (206)", (_req, res) => void json(res).status(206).end(TEXT)],
    ["jsonp", (_req, res) => void res.jsonp(PATIENT)],
  ])("S12: refuses %s with 502, because it cannot be judged", async (_what, handler) => {
    const app = express();
    app.set("jsonp callback name", "cb");
    const url = await serve(handler);
    const answer = await ask(`${url}/?callback=f`);
    expect(answer.status).toBe(502);
    expect(answer.text).toContain("policy-types/answer-unreadable");
    expect(answer.text).not.toContain(SECRET);
  });

  it("S12: a judge that throws refuses the answer", async () => {
    const answer = await status((_req, res) => void res.json({ explode: true, name: SECRET }));
    expect(answer.status).toBe(500);
    expect(answer.text).toContain("policy-types/judge-failed");
    expect(answer.text).not.toContain(SECRET);
  });

  it.each<[string, Handler]>([
    ["declared", (_req, res) => void json(res).set("Content-Length", "5000").write("{")],
    ["found while reading", (_req, res) => void Readable.from(["[", `"${"x".repeat(3000)}"`, "]"]).pipe(json(res))],
    [
      "inflated",
      (_req, res) =>
        void json(res)
          .set("Content-Encoding", "gzip")
          .end(gzipSync(`"${"x".repeat(5000)}"`)),
    ],
  ])("an answer over the limit, %s, sends nothing of itself", async (_how, handler) => {
    const answer = await status((req, res) => {
      contextOf(req).answerLimitBytes = 2000;
      handler(req, res);
    });
    expect(answer.status).toBe(502);
    expect(answer.text).not.toContain("xxx");
  });

  it.each<[string, () => unknown]>([
    ["a toJSON of its own", () => ({ hidden: false, toJSON: () => PATIENT })],
    [
      "a toJSON of its class",
      () =>
        new (class Document {
          toJSON = (): unknown => PATIENT;
        })(),
    ],
    [
      "accessors of its class",
      () =>
        new (class Document {
          get name(): string {
            return SECRET;
          }
          toJSON(): unknown {
            return PATIENT;
          }
        })(),
    ],
    [
      "a toJSON that no list of members shows",
      () => Object.defineProperty({ id: "2" }, "toJSON", { value: () => PATIENT }),
    ],
    ["a toJSON deep inside", () => ({ resourceType: "Patient", id: "1", name: { toJSON: () => SECRET } })],
    ["an array of such", () => Object.assign(Object.create({ toJSON: () => PATIENT }), { id: "1" }) as unknown],
  ])("S12: res.json judges what is written, not what an object with %s shows", async (_what, make) => {
    const answer = await status((_req, res) => void json(res).json(make()));
    expect(answer.text).not.toContain(SECRET);
    expect(JSON.parse(answer.text)).toEqual({ resourceType: "Patient", id: "1" });
  });

  it("S12: a JSON replacer of the application cannot write past the judge", async () => {
    const app = express();
    app.set("json replacer", (key: string, value: unknown) => (key === "" ? PATIENT : value));
    app.use((_req, res, next) => {
      addTransform(res, withoutName);
      next();
    });
    app.get("/", (_req, res) => void json(res).json({ alias: 1 }));
    expect((await ask(await listen(app))).text).not.toContain(SECRET);
  });

  describe("S13: what an application puts between res.json and the way out cannot write past the judge", () => {
    const hide: BodyTransform = { ...withoutName, opaque: () => ({ kind: "refuse", problem: REFUSED }) };
    const judge: Handler = (_req, res) => addTransform(res, hide);
    const ownJson: Handler = (_req, res) => {
      const { json: own } = res;
      res.json = function (body: object) {
        return own.call(this, { ...body, name: SECRET });
      };
    };
    const ownSend: Handler = (_req, res) => {
      const send = res.send.bind(res);
      res.send = (body: unknown) => send(typeof body === "string" ? TEXT : body);
    };
    const ownEnd: Handler = (_req, res) => {
      const end = res.end.bind(res);
      res.end = (() => end(TEXT, "utf8")) as never;
    };

    it.each<[string, Handler[]]>([
      ["a json of its own, before", [ownJson, judge]],
      ["a json of its own, behind", [judge, ownJson]],
      ["a send of its own, before", [ownSend, judge]],
      ["a send of its own, behind", [judge, ownSend]],
      ["an end of its own", [judge, ownEnd]],
    ])("%s", async (_what, stages) => {
      const app = express();
      app.get("/", (req, res) => {
        for (const stage of stages) stage(req, res);
        json(res).json({ resourceType: "Patient", id: "1" });
      });
      expect((await ask(await listen(app))).text).toBe('{"resourceType":"Patient","id":"1"}');
    });

    it("a json of the application's response", async () => {
      const app = express();
      const { json: own } = app.response;
      app.response.json = function (body: object) {
        return own.call(this, { ...body, name: SECRET });
      };
      app.get("/", (req, res) => {
        judge(req, res);
        res.json({ resourceType: "Patient", id: "1" });
      });
      expect((await ask(await listen(app))).text).toBe('{"resourceType":"Patient","id":"1"}');
    });

    it("an error page in place of a json that failed", async () => {
      const app = express();
      app.set("etag", () => {
        throw new Error("no tag");
      });
      app.get("/", (req, res) => {
        judge(req, res);
        try {
          res.json({ id: "1" });
        } catch {
          json(res).end(TEXT);
        }
      });
      expect((await ask(await listen(app))).text).toBe('{"resourceType":"Patient","id":"1"}');
    });
  });

  it("an answer that holds itself fails, as it does without a judge", async () => {
    const loop: Record<string, unknown> = { resourceType: "Patient" };
    loop["contained"] = [loop];
    const answer = await status((_req, res) => void json(res).json(loop));
    // Express's own page of the failure is no JSON, so it is not sent either.
    expect([answer.status, answer.code]).toEqual([502, "policy-types/answer-unreadable"]);
  });

  it("an answer nested beyond any resource is judged as text", async () => {
    let deep: unknown = SECRET;
    for (let level = 0; level < 1000; level++) deep = [deep];
    const answer = await status((_req, res) => void json(res).json({ name: deep, id: "1" }));
    expect(answer.text).toBe('{"id":"1"}');
  });

  it("a date is sent as JSON writes it", async () => {
    const answer = await status((_req, res) => void json(res).json({ name: "x", at: new Date(0) }));
    expect(answer.text).toBe('{"at":"1970-01-01T00:00:00.000Z"}');
  });

  it("lets a judge permit another media type by its head, and streams it", async () => {
    const permit: BodyTransform = {
      ...withoutName,
      opaque: (facts) => (facts.mediaType === "application/pdf" ? KEEP : { kind: "refuse", problem: REFUSED }),
    };
    const pdf = await status(
      (_req, res) => void Readable.from(["one", "two"]).pipe(res.type("application/pdf")),
      [permit],
    );
    expect([pdf.status, pdf.text]).toEqual([200, "onetwo"]);
    const html = await status((_req, res) => void res.type("html").end("three"), [permit]);
    expect(html.status).toBe(404);
  });

  it("asks a judge about an answer without a body", async () => {
    const judge: BodyTransform = { ...withoutName, empty: () => ({ kind: "refuse", problem: REFUSED }) };
    expect((await status((_req, res) => void res.status(204).end(), [judge])).status).toBe(404);
    expect((await status((_req, res) => void res.status(204).end())).status).toBe(204);
  });

  it("a dropped body becomes an empty answer", async () => {
    const answer = await status((_req, res) => void json(res.status(201)).json({ drop: true, name: SECRET }));
    expect([answer.status, answer.bytes.length, answer.headers["etag"]]).toEqual([201, 0, undefined]);
  });

  describe("conditional and range requests", () => {
    const tagged: Handler = (_req, res) =>
      void json(res)
        .set("ETag", 'W/"3"')
        .end(JSON.stringify({ ...PATIENT, meta: { versionId: "3" } }));

    it("A9: a matching tag does not reveal what the judge refuses", async () => {
      const url = await serve((_req, res) => void json(res).set("ETag", 'W/"3"').end('{"hidden":true}'));
      expect((await ask(url, { headers: { "if-none-match": 'W/"3"' } })).status).toBe(404);
      expect((await ask(url, { headers: { "if-none-match": "*" } })).status).toBe(404);
    });

    it("answers 304 after judging, and keeps FHIR's version tag", async () => {
      const url = await serve(tagged);
      expect((await ask(url)).headers["etag"]).toBe('W/"3"');
      expect((await ask(url, { headers: { "if-none-match": '"3"' } })).status).toBe(304);
      expect((await ask(url, { headers: { "if-none-match": '"4", W/"3"' } })).status).toBe(304);
      expect((await ask(url, { headers: { "if-none-match": '"4"' } })).status).toBe(200);
    });

    it("replaces a tag that named other bytes", async () => {
      const url = await serve((_req, res) => void json(res).set("ETag", '"abc"').end(TEXT));
      const { etag } = (await ask(url)).headers;
      expect(etag).toMatch(/^W\/"[\w-]{43}"$/);
      expect((await ask(url, { headers: { "if-none-match": String(etag) } })).status).toBe(304);
    });

    it("Express's own tag is that of the judged body", async () => {
      const url = await serve((_req, res) => void json(res).json(PATIENT));
      const plain = await serve((_req, res) => void json(res).json({ resourceType: "Patient", id: "1" }), []);
      const { etag } = (await ask(url)).headers;
      expect(etag).toBe((await ask(plain)).headers["etag"]);
      expect((await ask(url, { headers: { "if-none-match": String(etag) } })).status).toBe(304);
    });

    it("no tag is made of what must not be stored, and one the handler gave stays", async () => {
      const kept: Handler = (_req, res) => void json(res).set("Cache-Control", "private, No-Store").json(PATIENT);
      const url = await serve(kept);
      const answer = await ask(url, { headers: { "if-none-match": "*" } });
      expect([answer.status, answer.headers["etag"]]).toEqual([304, undefined]);
      expect((await ask(url)).headers["etag"]).toBe(undefined);
      const tagging = await serve((req, res) => kept(req, res.set("ETag", 'W/"3"')));
      expect((await ask(tagging)).headers["etag"]).toBe('W/"3"');
      const flagged = await serve((req, res) => {
        contextOf(req).mayBeStored = false;
        json(res).json(PATIENT);
      });
      expect((await ask(flagged)).headers["etag"]).toBe(undefined);
      expect(JSON.parse((await ask(flagged)).text)).toEqual({ resourceType: "Patient", id: "1" });
    });

    it("an error page in place of what must not be stored has no tag of it", async () => {
      const spaces = Object.assign(new Number(1), {
        valueOf() {
          throw new Error("no spaces");
        },
      });
      const url = await serve((req, res) => {
        req.app.set("json spaces", spaces);
        res.set("Cache-Control", "no-store");
        try {
          json(res).json(PATIENT);
        } catch {
          json(res).end(TEXT);
        }
      });
      const answer = await ask(url);
      expect(answer.headers["etag"]).toBe(undefined);
      expect(answer.text).not.toContain(SECRET);
    });

    it("does not offer or serve parts of a judged file", async () => {
      const url = await serve((_req, res) => res.sendFile(join(FOLDER, "patient.json")));
      const answer = await ask(url, { headers: { range: "bytes=0-5" } });
      expect([answer.status, answer.headers["accept-ranges"]]).toEqual([200, undefined]);
      expect(answer.text).not.toContain(SECRET);
    });
  });

  describe("NDJSON", () => {
    const lines =
      (text: string, coding?: string): Handler =>
      (_req, res) => {
        res.type("application/fhir+ndjson");
        if (coding !== undefined) res.set("Content-Encoding", coding);
        const bytes = coding === "gzip" ? gzipSync(text) : Buffer.from(text);
        Readable.from(
          Array.from({ length: Math.ceil(bytes.length / 7) }, (_, i) => bytes.subarray(i * 7, i * 7 + 7)),
        ).pipe(res);
      };
    const text = `${TEXT}\r\n\n{"id":"2","x":1.0}\n{"drop":true}\n{"id":"3","name":"é"}`;

    it.each([undefined, "gzip"])("is judged line by line (%s)", async (coding) => {
      const answer = await status(lines(text, coding));
      expect(answer.text).toBe('{"resourceType":"Patient","id":"1"}\n{"id":"2","x":1.0}\n{"id":"3"}\n');
      expect(answer.headers["content-length"]).toBe(undefined);
    });

    it("a refused first line is a refusal; a refused later line breaks the transfer", async () => {
      expect((await status(lines('{"hidden":true}\n{"id":"1"}'))).status).toBe(404);
      await expect(status(lines('{"id":"1"}\n{"hidden":true}\n{"id":"2"}'))).rejects.toThrow();
      await expect(status(lines('{"id":"1"}\n{"broken'))).rejects.toThrow();
    });

    it("an endless line is cut at the limit", async () => {
      const url = await serve((req, res) => {
        contextOf(req).answerLimitBytes = 1000;
        res.type("application/fhir+ndjson");
        Readable.from(
          (function* () {
            while (true) yield "x".repeat(100);
          })(),
        ).pipe(res);
      });
      expect((await ask(url)).status).toBe(502);
    });
  });

  describe("gates and listeners", () => {
    async function gated(
      gate: Parameters<typeof beforeAnswer>[1],
      handler: Handler,
      records: AccessRecord[] = [],
    ): Promise<string> {
      const app = express();
      app.use((_req, res, next) => {
        beforeAnswer(res, gate);
        afterAnswer(res, (record) => records.push(record));
        addTransform(res, withoutName);
        next();
      });
      app.get("/", handler);
      return listen(app);
    }

    it("F9: nothing of an answer is sent until its gate has settled", async () => {
      let open: (() => void) | undefined;
      const seen: AccessRecord[] = [];
      const url = await gated(
        (record) =>
          new Promise((resolve) => {
            seen.push(record);
            open = () => resolve(undefined);
          }),
        (_req, res) => void json(res).json(PATIENT),
      );
      let settled = false;
      const asked = ask(url).finally(() => {
        settled = true;
      });
      await expect.poll(() => seen.length).toBe(1);
      expect(settled).toBe(false);
      open?.();
      const answer = await asked;
      expect(answer.status).toBe(200);
      expect(seen[0]).toMatchObject({ status: 200, completed: true, responseBytes: answer.bytes.length });
    });

    it.each<[string, Parameters<typeof beforeAnswer>[1], number]>([
      ["refuses", () => ({ ...REFUSED, status: 503 }), 503],
      [
        "throws",
        () => {
          throw new Error("disk");
        },
        503,
      ],
      ["rejects", () => Promise.reject(new Error("disk")), 503],
    ])("F9: a gate that %s replaces the answer", async (_what, gate, expected) => {
      for (const handler of [WAYS["res.json"], WAYS["a pipe"], lines2]) {
        const records: AccessRecord[] = [];
        const answer = await ask(await gated(gate, handler as Handler, records));
        expect(answer.status).toBe(expected);
        expect(answer.text).not.toContain(SECRET);
        await expect.poll(() => records.length).toBe(1);
        expect(records[0]).toMatchObject({ outcome: "deny", status: 503 });
      }
    });
    const lines2: Handler = (_req, res) => void res.type("application/fhir+ndjson").end(`${TEXT}\n${TEXT}`);

    it("refusals pass the gate too, and are told once", async () => {
      const seen: AccessRecord[] = [];
      const records: AccessRecord[] = [];
      const url = await gated(
        (record) => void seen.push(record),
        (_req, res) => sendProblem(res, REFUSED),
        records,
      );
      expect((await ask(url)).status).toBe(404);
      await expect.poll(() => records.length).toBe(1);
      expect(seen[0]).toMatchObject({ outcome: "deny", problem: "test/refused", status: 404 });
    });

    it.each<[string, Handler]>([
      [
        "throws",
        () => {
          throw new Error("too late");
        },
      ],
      ["sends another", (_req, res) => void res.status(500).set({ "X-Late": "1", "Content-Length": "3" }).end("no!")],
    ])("A15: what left is what the gate was told, when its handler %s after its answer", async (_what, late) => {
      for (const handler of [WAYS["res.json"], WAYS["a gzip body"], lines2]) {
        const seen: AccessRecord[] = [];
        const url = await gated(
          async (record) => {
            seen.push(record);
            await new Promise((resolve) => setTimeout(resolve, 20));
            return undefined;
          },
          (req, res) => {
            handler?.(req, res);
            late(req, res);
          },
        );
        const answer = await ask(url);
        expect([seen[0]?.status, answer.status, answer.headers["x-late"]]).toEqual([200, 200, undefined]);
        expect(answer.headers["content-type"]).toMatch(/^application\/fhir\+/);
        expect(answer.headers["content-length"] ?? String(answer.bytes.length)).toBe(String(answer.bytes.length));
      }
    });

    it("a gated stream arrives whole and in order", async () => {
      const rows = Array.from({ length: 2000 }, (_, id) => `${JSON.stringify({ id, pad: "x".repeat(200) })}\n`);
      const url = await gated(
        () => new Promise((resolve) => setImmediate(() => resolve(undefined))),
        (_req, res) => void Readable.from(rows).pipe(res.type("application/fhir+ndjson")),
      );
      expect((await ask(url)).text).toBe(rows.join(""));
    });

    it("a client that leaves is told to the listeners as not completed", async () => {
      const records: AccessRecord[] = [];
      const url = await gated(
        () => undefined,
        (_req, res) => void res.type("application/fhir+ndjson").write('{"id":"1"}\n'),
        records,
      );
      const controller = new AbortController();
      const answer = await fetch(url, { signal: controller.signal });
      expect(answer.status).toBe(200);
      controller.abort();
      await expect.poll(() => records.length).toBe(1);
      expect(records[0]).toMatchObject({ completed: false, outcome: "permit" });
    });
  });

  it.each<[string, Handler]>([
    ["a status", (_req, res) => void Object.assign(json(res), { statusCode: 99 }).end(TEXT)],
    ["a reason", (_req, res) => void Object.assign(json(res), { statusMessage: "a\nb" }).end(TEXT)],
  ])("S12: an answer with %s that HTTP does not have is refused, and ends nothing else", async (_what, handler) => {
    const gate = (res: Response): void => beforeAnswer(res, () => Promise.resolve(undefined));
    const judge = (res: Response): void => addTransform(res, withoutName);
    for (const control of [gate, judge]) {
      const app = express();
      app.get("/", (_req, res, next) => {
        control(res);
        next();
      });
      app.get("/", handler);
      const answer = await ask(await listen(app));
      expect([answer.status, answer.code]).toEqual([500, "policy-types/answer-head-malformed"]);
    }
  });

  it.each<[string, Handler]>([
    ["dropped", (_req, res) => void json(res).end('{"drop":true}')],
    ["of lines", (_req, res) => void res.type("application/fhir+ndjson").end('{"drop":true}\n{"id":"1"}\n')],
    ["replaced by a resource", (_req, res) => void res.type("text/plain").end(SECRET)],
    ["decoded", (_req, res) => void json(res).set("Content-Encoding", "gzip").end(gzipSync("{}"))],
  ])("A9: no digest of what an answer was before it was judged leaves with one that was %s", async (_how, handler) => {
    const instead: BodyTransform = { ...withoutName, opaque: () => ({ kind: "replace", body: { id: "2" } }) };
    const answer = await status(
      (req, res) => {
        for (const name of ["Digest", "Content-Digest", "Repr-Digest", "Content-MD5"]) res.set(name, "sha-256=:x:");
        handler(req, res);
      },
      [instead],
    );
    expect(answer.status).toBe(200);
    expect(Object.keys(answer.headers).filter((name) => /digest|md5/.test(name))).toEqual([]);
  });

  it.each([["application/fhir+json"], ["application/fhir+ndjson"]])(
    "S13: nothing of %s leaves before or behind what was judged",
    async (type) => {
      const url = await serve((_req, res) => {
        res.writeEarlyHints({ link: `</photo/${SECRET}>; rel=preload` });
        res.setHeader("Trailer", "X-Name");
        res.type(type).write(TEXT);
        res.addTrailers({ "X-Name": SECRET });
        res.end("\n");
      });
      const whole = await new Promise<string>((resolve) => {
        const { port, hostname } = new URL(url);
        const socket = connect(Number(port), hostname, () => {
          socket.write("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        });
        let text = "";
        socket.on("data", (chunk) => {
          text += String(chunk);
        });
        socket.on("close", () => resolve(text));
      });
      expect(whole).toMatch(/^HTTP\/1\.1 200 OK/);
      expect(whole).not.toContain(SECRET);
    },
  );

  it("S12: what was refused while its content coding was undone stays refused", async () => {
    const rejected: unknown[] = [];
    const note = (reason: unknown): void => void rejected.push(reason);
    process.on("unhandledRejection", note);
    const answer = await status((req, res) => {
      WAYS["a gzip body"]?.(req, res);
      sendProblem(res, REFUSED);
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    process.off("unhandledRejection", note);
    expect([answer.status, answer.code, rejected]).toEqual([404, "test/refused", []]);
  });

  it("a refusal after the first byte breaks the transfer instead of looking whole", async () => {
    const url = await serve((_req, res) => {
      res.write("first");
      setImmediate(() => sendProblem(res, REFUSED));
    }, []);
    await expect(ask(url)).rejects.toThrow();
  });

  it("a handler's error before its answer is an ordinary Express error", async () => {
    const url = await serve(() => {
      throw new Error("handler broke");
    });
    const answer = await ask(url);
    expect([answer.status, answer.text.includes("handler broke at")]).toEqual([502, false]);
  });
});

describe("two installed copies", () => {
  it("share one context and hook a response once", async () => {
    vi.resetModules();
    const copy = await import("../src/express.ts");
    expect(copy.addTransform).not.toBe(addTransform);
    const [, express] = EXPRESS[0];
    const app = express();
    app.use((req, res, next) => {
      addTransform(res, withoutName);
      copy.addTransform(res, {
        name: "second",
        stage: "rewrite",
        json: (body) => ({ kind: "replace", body: { ...(body as { [name: string]: Json }), second: true } }),
      });
      expect(copy.contextOf(req)).toBe(contextOf(req));
      next();
    });
    app.get("/", (_req, res) => void res.json(PATIENT));
    expect(JSON.parse((await ask(await listen(app))).text)).toEqual({
      resourceType: "Patient",
      id: "1",
      second: true,
    });
  });
});

describe.each(EXPRESS)("%s: what transforms say in the head", (_name, express) => {
  const says = (stage: BodyTransform["stage"], headers: Record<string, string | undefined>): BodyTransform => ({
    name: `test/${stage}`,
    stage,
    json: () => KEEP,
    headers: () => headers,
  });
  const SERVERS = "http://inner/Patient/1";
  const GUARDS = "https://outer/Patient/1";

  it.each<[string, readonly BodyTransform[], string | undefined]>([
    ["one value is set", [says("rewrite", { location: GUARDS })], GUARDS],
    ["one removal removes", [says("redact", { Location: undefined })], undefined],
    [
      "a removal is not undone by a later stage",
      [says("redact", { Location: undefined }), says("rewrite", { location: GUARDS })],
      undefined,
    ],
    [
      "a removal by a later stage counts, too",
      [
        says("guard", { Location: GUARDS }),
        says("redact", { location: undefined }),
        says("rewrite", { location: "x" }),
      ],
      undefined,
    ],
    [
      "of two values the earlier stage's is sent",
      [says("rewrite", { location: "http://other/" }), says("guard", { Location: GUARDS })],
      GUARDS,
    ],
  ])("%s", async (_what, transforms, expected) => {
    const app = express();
    app.use((_req, res) => {
      for (const transform of transforms) addTransform(res, transform);
      res.setHeader("Location", SERVERS);
      json(res).json(PATIENT);
    });
    const answer = await ask(await listen(app));
    expect([answer.status, answer.headers["location"]]).toEqual([200, expected]);
  });
});
