import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { addTransform, type Json } from "@wardline/policy-types/express";
import { ask, EXPRESS, listen } from "@wardline-tools/test-kit";
import type { Request, Response } from "express";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  cmsReport,
  observePas,
  openUsageJournal,
  type PriorAuthEvent,
  readJournal,
  type UsageJournal,
} from "../src/index.ts";
import { readClaim, readClaimAnswers } from "../src/pas/read-claim.ts";
import { emptyFolder } from "./support/folders.ts";
import { adjudicated, claimResponse, item, pasAnswer, pasRequest } from "./support/pas.ts";
import { KEY } from "./support/records.ts";

describe("readClaim", () => {
  it.each<[string, Json | undefined]>([
    ["nothing", undefined],
    ["another resource", { resourceType: "Patient" }],
    ["a claim for payment", { resourceType: "Claim", use: "claim" }],
    ["a Bundle without entries", { resourceType: "Bundle" }],
    ["a Bundle of nothing", { resourceType: "Bundle", entry: [null, 1, {}, { resource: [] }] }],
  ])("%s is no submission", (_title, body) => {
    expect(readClaim(body)).toBeUndefined();
  });

  const level = { valueCodeableConcept: { coding: [{ system: "http://codesystem.x12.org/005010/1338", code: "U" }] } };
  const related = [{ claim: { identifier: { system: "urn:trace", value: "before" } } }];
  it.each<[string, Parameters<typeof pasRequest>[0], object]>([
    ["standard", {}, { expedited: false, appeal: false, keys: ["claim|urn:trace|claim-secret-1"] }],
    ["stat", { priority: { coding: [{ code: "stat" }] } }, { expedited: true }],
    ["urgent by level of service", { extension: [level] }, { expedited: true }],
    ["an immediate appeal", { item: [item("1")] }, { appeal: true }],
    [
      "a standard appeal",
      { item: [item("2")], related },
      { appeal: true, keys: ["claim|urn:trace|claim-secret-1", "claim|urn:trace|before"] },
    ],
    [
      "a revision is of the case it changes",
      { item: [item("S")], related },
      { isRequest: true, appeal: false, keys: ["claim|urn:trace|claim-secret-1", "claim|urn:trace|before"] },
    ],
    [
      "a cancellation asks for nothing, and is of the case it ends",
      { item: [item("3")], related },
      { isRequest: false, keys: ["claim|urn:trace|claim-secret-1", "claim|urn:trace|before"] },
    ],
    ["one item cancelled, another asked for", { item: [item("3"), item("I")] }, { isRequest: true }],
    ["a notification asks for nothing", { item: [item("5")] }, { isRequest: false }],
    [
      "a renewal is a request of its own",
      { item: [item("R")], related },
      { appeal: false, keys: ["claim|urn:trace|claim-secret-1"] },
    ],
  ])("%s", (_title, claim, expected) => {
    expect(readClaim(pasRequest(claim))).toMatchObject(expected);
    expect(
      readClaim({ resourceType: "Parameters", parameter: [{ name: "resource", resource: pasRequest(claim) }] }),
    ).toMatchObject(expected);
  });
});

describe("readClaimAnswers", () => {
  it.each<[string, Parameters<typeof claimResponse>[0], string]>([
    ["certified in total", {}, "approved"],
    ["all items certified", { item: [adjudicated("A1"), adjudicated("A1")] }, "approved"],
    ["one item not certified", { item: [adjudicated("A1"), adjudicated("A3")] }, "partial"],
    ["not certified", { item: [adjudicated("A3")] }, "denied"],
    ["modified", { item: [adjudicated("A6")] }, "partial"],
    ["certified in part", { item: [adjudicated("A2")] }, "partial"],
    ["pended", { item: [adjudicated("A4")] }, "pended"],
    ["one item still pended", { item: [adjudicated("A3"), adjudicated("A4")] }, "pended"],
    ["contact payer", { item: [adjudicated("CT")] }, "pended"],
    ["cancelled", { item: [adjudicated("C")] }, "cancelled"],
    ["one item cancelled, the other certified", { item: [adjudicated("C"), adjudicated("A1")] }, "approved"],
    ["a code nobody knows", { item: [adjudicated("A9")] }, "pended"],
    ["an error", { outcome: "error" }, "error"],
    ["queued without items", { outcome: "queued", item: [] }, "pended"],
    ["complete without items and number", { item: [] }, "pended"],
    ["complete without items, with a number", { item: [], preAuthRef: "n" }, "approved"],
    ["added items", { item: [], addItem: [adjudicated("A3")] }, "denied"],
  ])("%s", (_title, changes, decision) => {
    for (const body of [claimResponse(changes), pasAnswer(claimResponse(changes))]) {
      expect(readClaimAnswers(body).map((one) => one.decision)).toEqual([decision]);
    }
  });

  it("knows when the payer says it answered, if it says an instant", () => {
    expect(readClaimAnswers(claimResponse({ created: "2026-01-02T03:04:05Z" }))[0]?.createdAt).toBe(
      Date.UTC(2026, 0, 2, 3, 4, 5),
    );
    expect(readClaimAnswers(claimResponse({ created: "2026-01-02" }))[0]?.createdAt).toBeUndefined();
  });

  it("whatever the body, it answers and does not throw", () => {
    const words = fc.constantFrom(
      "resourceType",
      "entry",
      "resource",
      "item",
      "adjudication",
      "extension",
      "valueCodeableConcept",
      "coding",
      "system",
      "code",
      "use",
      "Bundle",
      "ClaimResponse",
      "preauthorization",
    );
    const json = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: "medium" },
        words,
        fc.constant(null),
        fc.integer(),
        fc.array(tie("value"), { maxLength: 3 }),
        fc.dictionary(words, tie("value"), { maxKeys: 6 }),
      ),
    })).value;
    fc.assert(
      fc.property(json, (body) => {
        readClaim(body as Json);
        readClaimAnswers(body as Json);
        const seen = claimResponse({ item: body as Json, identifier: body as Json, request: body as Json });
        expect(readClaimAnswers(seen)).toHaveLength(1);
      }),
    );
  });
});

describe.each(EXPRESS)("observePas on %s", (_name, express) => {
  const SUBMIT = "/fhir/Claim/$submit";
  function memory(): { journal: UsageJournal; events: PriorAuthEvent[] } {
    const events: PriorAuthEvent[] = [];
    const journal = { priorAuth: (event: PriorAuthEvent) => void events.push(event) } as unknown as UsageJournal;
    return { journal, events };
  }
  async function start(
    journal: UsageJournal,
    answer: (req: Request, res: Response) => void,
    prepare = (_res: Response): void => undefined,
  ) {
    const app = express();
    app.use(express.json());
    app.use((_req: Request, res: Response, next: () => void) => {
      prepare(res);
      next();
    });
    app.use("/fhir", observePas({ journal, isExtended: (one) => one["disposition"] === "extended" }));
    app.use(answer);
    return listen(app);
  }
  const submit = (origin: string, body: Json = pasRequest()) =>
    ask(`${origin}${SUBMIT}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  const send =
    (body: Json, status = 200) =>
    (_req: Request, res: Response) =>
      void res.status(status).json(body);

  it("a submission and its answer are one case, and the bytes are the handler's own", async () => {
    const { journal, events } = memory();
    const text = `  ${JSON.stringify(pasAnswer(claimResponse()), null, 1)}\n`;
    const origin = await start(journal, (_req, res) => void res.type("application/fhir+json").send(text));
    expect((await submit(origin)).text).toBe(text);
    await expect
      .poll(() => events.map(({ event, decision }) => [event, decision]))
      .toEqual([
        ["submitted", undefined],
        ["answered", "approved"],
      ]);
    expect(new Set(events[1]?.keys)).toEqual(new Set(events[0]?.keys));
  });

  it("42 CFR 422.122(c): a cancellation is no further request; its answer belongs to the case it ends", async () => {
    const { journal, events } = memory();
    const related = [{ claim: { identifier: { system: "urn:trace", value: "before" } } }];
    const origin = await start(journal, send(pasAnswer(claimResponse({ item: [adjudicated("C")] }))));
    await submit(origin, pasRequest({ item: [item("3")], related }));
    await expect
      .poll(() => events.map(({ event, decision }) => [event, decision]))
      .toEqual([["answered", "cancelled"]]);
    expect(events[0]?.keys).toContain("claim|urn:trace|before");
  });

  it.each([
    ["a refusal by the handler", send({ resourceType: "OperationOutcome" }, 422)],
    [
      "an answer broken off",
      (_req: Request, res: Response) => {
        res.writeHead(200, { "content-type": "application/json" });
        res.write("{");
        setImmediate(() => res.destroy());
      },
    ],
  ])("%s was not received", async (_title, answer) => {
    const { journal, events } = memory();
    const origin = await start(journal, answer);
    await submit(origin).catch(() => undefined);
    await submit(await start(journal, send(pasAnswer(claimResponse()))));
    await expect.poll(() => events.length).toBe(2);
  });

  it("what a later judge refuses was not sent, so it is not counted", async () => {
    const { journal, events } = memory();
    const problem = { code: "x/y", status: 502, issue: "exception", detail: "No." } as const;
    const origin = await start(journal, send(pasAnswer(claimResponse())), (res) =>
      addTransform(res, { name: "x", stage: "redact", json: () => ({ kind: "refuse", problem }) }),
    );
    expect((await submit(origin)).status).toBe(502);
    await submit(await start(journal, send(pasAnswer(claimResponse()))));
    await expect.poll(() => events.length).toBe(2);
  });

  it("other requests are not looked at", async () => {
    const { journal, events } = memory();
    const origin = await start(journal, send(pasAnswer(claimResponse())));
    await ask(`${origin}/fhir/Patient/1`);
    await ask(`${origin}/fhir/Claim/$submit`);
    await ask(`${origin}/other/Claim/$submit`, { method: "POST" });
    await submit(origin);
    await expect.poll(() => events.length).toBe(2);
  });

  it("pended on submission, approved when it is inquired or read: kept in hashes over a restart", async () => {
    const file = join(await emptyFolder(), "usage.ndjson");
    let body = pasAnswer(claimResponse({ item: [adjudicated("A4")], disposition: "extended" }));
    const answer = (_req: Request, res: Response) => void res.json(body);
    const first = openUsageJournal({ file, key: KEY });
    await submit(await start(first, answer));
    await expect.poll(async () => (await readFile(file, "utf8").catch(() => "")).split("\n").length).toBe(3);
    await first.close();

    const second = openUsageJournal({ file, key: KEY });
    const origin = await start(second, answer);
    const { request: _, ...unlinked } = claimResponse({ preAuthRef: "auth-secret-1" });
    body = pasAnswer(unlinked);
    await ask(`${origin}/fhir/ClaimResponse?identifier=x`);
    await ask(`${origin}/fhir/ClaimResponse?identifier=x`);
    await expect.poll(async () => (await readFile(file, "utf8")).split("\n").length).toBe(4);
    await second.close();
    const { years } = await cmsReport(readJournal(file));
    expect(years[0]?.priorAuthorization).toMatchObject({
      standard: { received: 1, approved: 1, open: 0 },
      extendedAndApproved: 1,
    });
    expect(await readFile(file, "utf8")).not.toMatch(/secret|jane/);
  });
});
