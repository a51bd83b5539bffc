import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { type Answer, ask, EXPRESS, type Question } from "@wardline-tools/test-kit";
import { describe, expect, it } from "vitest";
import type { RunJob } from "../../src/index.ts";
import { emptyFolder } from "./support/queues.ts";
import { BASE, type World, world } from "./support/world.ts";

describe.each(EXPRESS)("%s: long operations", (_name, express) => {
  const asUser = (user: string, more: Question = {}): Question => ({
    ...more,
    headers: { "x-user": user, ...(more.headers as object) },
  });
  const kickOff = ({ origin }: World, user = "anna", more: Question = {}): Promise<Answer> =>
    ask(`${origin}/fhir/$export?_type=Patient`, asUser(user, { headers: { prefer: "respond-async" }, ...more }));
  const placeOf = (answer: Answer): string => {
    expect([answer.status, answer.code]).toEqual([202, undefined]);
    const place = String(answer.headers["content-location"]);
    expect(place).toMatch(new RegExp(`^${BASE.replaceAll(".", "\\.")}/_async/[A-Za-z0-9_-]{32}$`));
    return place.slice("https://fhir.example.org".length);
  };
  async function finished(at: World, place: string, user = "anna"): Promise<Answer> {
    let answer: Answer | undefined;
    await expect
      .poll(async () => {
        at.ahead += 200_000;
        answer = await ask(at.origin + place, asUser(user));
        return answer.status;
      })
      .not.toBe(202);
    return answer as Answer;
  }
  /** Work that waits for the test. */
  function held(): { run: RunJob; release: () => void; signals: AbortSignal[] } {
    const signals: AbortSignal[] = [];
    const releases: (() => void)[] = [];
    return {
      signals,
      release: () => {
        for (const release of releases.splice(0)) release();
      },
      run: (_job, { signal, progress }) => {
        signals.push(signal);
        progress(0.256);
        return new Promise((resolve, reject) => {
          releases.push(resolve);
          signal.addEventListener("abort", () => reject(signal.reason as Error));
        });
      },
    };
  }

  it("kick-off, status, manifest and files, each line judged on its way out", async () => {
    const at = await world(express, {
      run: async (job, { output, asOf }) => {
        expect(job.asked).toEqual({ method: "GET", url: "/$export?_type=Patient" });
        expect(JSON.stringify(job)).not.toContain("anna");
        asOf("2026-02-03T04:05:06Z");
        for (const id of ["a", "secret", "b"]) await output("Patient").write({ resourceType: "Patient", id });
        await output("OperationOutcome", "error").write({ resourceType: "OperationOutcome", issue: [] });
      },
    });
    const place = placeOf(await kickOff(at));
    const status = await finished(at, place);
    expect([status.status, status.headers["content-type"]]).toEqual([200, "application/json; charset=utf-8"]);
    expect(Date.parse(String(status.headers["expires"]))).toBeGreaterThan(Date.now());
    expect(JSON.parse(status.text)).toEqual({
      transactionTime: "2026-02-03T04:05:06Z",
      request: `${BASE}/$export?_type=Patient`,
      requiresAccessToken: true,
      output: [{ type: "Patient", url: `${BASE.slice(0, 24)}${place}/0`, count: 3 }],
      error: [{ type: "OperationOutcome", url: `${BASE.slice(0, 24)}${place}/1`, count: 1 }],
    });
    const file = await ask(`${at.origin}${place}/0`, asUser("anna"));
    expect([file.status, file.headers["content-type"]]).toEqual([200, "application/fhir+ndjson"]);
    expect(file.text).toBe('{"resourceType":"Patient","id":"a"}\n{"resourceType":"Patient","id":"b"}\n');
    expect([at.passed, at.errors]).toEqual([0, []]);
    await at.operations.close();
  });

  it("without the wish to wait, or for what is not offered, the request goes on", async () => {
    const at = await world(express);
    for (const [path, prefer] of [
      ["/fhir/$export", "return=minimal"],
      ["/fhir/$export", 'note="a, respond-async, b"'],
      ["/fhir/Patient", "respond-async"],
    ] as const) {
      const answer = await ask(at.origin + path, asUser("anna", { headers: { prefer } }));
      expect([answer.status, answer.text]).toEqual([200, '{"resourceType":"Bundle"}']);
    }
    const put = await ask(
      `${at.origin}/fhir/$export`,
      asUser("anna", { method: "PUT", headers: { prefer: "respond-async" } }),
    );
    expect(put.status).toBe(200);
    expect(at.passed).toBe(4);
    const among = await ask(
      `${at.origin}/fhir/$export`,
      asUser("anna", { headers: { prefer: "handling=strict, Respond-Async;x=1" } }),
    );
    expect(among.status).toBe(202);
    await at.operations.close();
  });

  it("A8, A9: to anybody else, and for anything else, job and files look absent", async () => {
    const at = await world(express);
    const place = placeOf(await kickOff(at));
    await finished(at, place);
    const absent = await ask(`${at.origin}/fhir/_async/${"x".repeat(32)}`, asUser("anna"));
    expect([absent.status, absent.code]).toEqual([404, "tiered-throttle/async-unknown"]);
    const bare = (text: string): unknown => JSON.parse(text);
    for (const [path, user, method] of [
      [place, "eve", "GET"],
      [place, "eve", "HEAD"],
      [place, "eve", "DELETE"],
      [`${place}/0`, "eve", "GET"],
      [`${place}/1`, "anna", "GET"],
      [`${place}/00`, "anna", "GET"],
      [`${place}/0`, "anna", "DELETE"],
      [`${place}/0/..`, "anna", "GET"],
      [`${place}?x=1`, "anna", "GET"],
      [place, "anna", "POST"],
      ["/fhir/_async", "anna", "GET"],
      ["/fhir/_async/../jobs.journal", "anna", "GET"],
    ] as const) {
      const answer = await ask(at.origin, asUser(user, { method, target: path }));
      expect([path, answer.status]).toEqual([path, 404]);
      if (method !== "HEAD")
        expect([bare(answer.text), answer.code]).toEqual([bare(absent.text), "tiered-throttle/async-unknown"]);
    }
    const unknown = await ask(at.origin + place);
    expect([unknown.status, unknown.code]).toEqual([403, "tiered-throttle/async-caller-unknown"]);
    const nobody = await ask(`${at.origin}/fhir/$export`, { headers: { prefer: "respond-async" } });
    expect([nobody.status, nobody.code]).toEqual([403, "tiered-throttle/async-caller-unknown"]);
    expect((await ask(at.origin + place, asUser("anna"))).status).toBe(200);
    expect(at.passed).toBe(0);
    await at.operations.close();
  });

  it("progress with Retry-After; 429 for the impatient, which changes nothing (F14)", async () => {
    const { run, release } = held();
    const at = await world(express, { run, pollSeconds: 10, now: () => at.ahead });
    const place = placeOf(await kickOff(at));
    const look = (): Promise<Answer> => ask(at.origin + place, asUser("anna"));
    await expect.poll(() => at.operations.snapshot()).toEqual([{ tier: "ordinary", waiting: 0, running: 1 }]);
    await expect
      .poll(async () => {
        at.ahead += 10_000;
        return (await look()).headers["x-progress"];
      })
      .toBe("25%");
    at.ahead += 10_000;
    const first = await look();
    expect([first.status, first.headers["x-progress"], first.headers["retry-after"]]).toEqual([202, "25%", "10"]);
    expect(first.text).toBe("");
    for (const [ahead, left] of [
      [0, "8"],
      [5000, "3"],
      [2999, "1"],
    ] as const) {
      at.ahead += ahead;
      const early = await look();
      expect([early.status, early.code, early.headers["retry-after"]]).toEqual([
        429,
        "tiered-throttle/async-too-soon",
        left,
      ]);
    }
    at.ahead += 1;
    expect((await look()).status).toBe(202);
    at.ahead += 600_000;
    expect((await look()).headers["retry-after"]).toMatch(/^6\d$/);
    release();
    // What is done is told at once.
    await expect.poll(async () => (await look()).status).toBe(200);
    await at.operations.close();
  });

  it("cancelling while it runs: 202, the work is aborted, nothing is left", async () => {
    const { run, signals } = held();
    const at = await world(express, {
      run: async (job, context) => {
        await context.output("Patient").write({ resourceType: "Patient", text: "x".repeat(70_000) });
        await run(job, context);
      },
    });
    const place = placeOf(await kickOff(at));
    await expect.poll(() => signals.length).toBe(1);
    const folder = join(at.folder, place.split("/").at(-1) ?? "");
    expect(existsSync(folder)).toBe(true);
    const answer = await ask(at.origin + place, asUser("anna", { method: "DELETE" }));
    expect([answer.status, answer.text]).toEqual([202, ""]);
    expect(signals[0]?.aborted).toBe(true);
    for (const method of ["GET", "DELETE"])
      expect((await ask(at.origin + place, asUser("anna", { method }))).code).toBe("tiered-throttle/async-unknown");
    await expect.poll(() => at.operations.snapshot()).toEqual([{ tier: "ordinary", waiting: 0, running: 0 }]);
    await at.operations.sweep();
    expect(existsSync(folder)).toBe(false);
    expect(at.errors).toEqual([]);
    await at.operations.close();
  });

  it("a finished job is released with its files", async () => {
    const at = await world(express);
    const place = placeOf(await kickOff(at));
    await finished(at, place);
    expect((await ask(at.origin + place, asUser("anna", { method: "DELETE" }))).status).toBe(202);
    for (const path of [place, `${place}/0`]) expect((await ask(at.origin + path, asUser("anna"))).status).toBe(404);
    await expect.poll(() => readdir(at.folder)).toEqual(["jobs.journal"]);
    await at.operations.close();
  });

  it("expiry: job and files are gone when Expires says, and removed from the disk", async () => {
    const at = await world(express, { lifetimeSeconds: 3600, now: () => 1_800_000_000_000 + at.ahead });
    const place = placeOf(await kickOff(at));
    await expect.poll(async () => (await ask(`${at.origin}${place}/0`, asUser("anna"))).status).toBe(200);
    const status = await ask(at.origin + place, asUser("anna"));
    expect(status.headers["expires"]).toBe(new Date(1_800_003_600_000).toUTCString());
    at.ahead = 3_599_999;
    await at.operations.sweep();
    expect((await ask(`${at.origin}${place}/0`, asUser("anna"))).status).toBe(200);
    at.ahead = 3_600_000;
    expect((await ask(`${at.origin}${place}/0`, asUser("anna"))).status).toBe(404);
    await at.operations.sweep();
    expect(await readdir(at.folder)).toEqual(["jobs.journal"]);
    await at.operations.close();
  });

  it.each([
    ["failed", 500, async () => Promise.reject(new Error("secret words"))],
    [
      "too-large",
      422,
      async (_job, { output }) => output("Patient").write({ resourceType: "Patient", text: "x".repeat(5000) }),
    ],
    [
      "too-large",
      422,
      // Work that swallows the refusal does not get its piece of a file published.
      async (_job, { output }) => {
        await output("Patient").write({ resourceType: "Patient", id: "a" });
        await output("Patient")
          .write({ text: "x".repeat(5000) })
          .catch(() => undefined);
      },
    ],
    ["failed", 500, async (_job, { output }) => output("../escape").write({})],
  ] satisfies [string, number, RunJob][])(
    "work that ends badly (%s) answers its own code and leaves no file",
    async (kind, code, run) => {
      const at = await world(express, { run, maxJobBytes: 4096 });
      const answer = await finished(at, placeOf(await kickOff(at)));
      expect([answer.status, answer.code]).toEqual([code, `tiered-throttle/async-${kind}`]);
      expect(answer.text).not.toContain("secret");
      await at.operations.sweep();
      expect(await readdir(at.folder)).toEqual(["jobs.journal"]);
      await at.operations.close();
    },
  );

  it("work that takes longer than it may is aborted", async () => {
    const { run } = held();
    const at = await world(express, { run, runSeconds: 1 });
    const answer = await finished(at, placeOf(await kickOff(at)));
    expect([answer.status, answer.code]).toEqual([504, "tiered-throttle/async-too-slow"]);
    await at.operations.close();
  });

  it("bounds: per organisation 429, per tier 503, by bytes 503, each with Retry-After", async () => {
    const { run, release } = held();
    const at = await world(express, { run, tiers: { ordinary: { concurrency: 1, waiting: 1, perOrganisation: 1 } } });
    const by = (user: string, organisation: string): Promise<Answer> =>
      kickOff(at, user, { headers: { prefer: "respond-async", "x-organisation": organisation } });
    placeOf(await by("anna", "north"));
    const own = await by("otto", "north");
    expect([own.status, own.code, own.headers["retry-after"]]).toEqual([429, "tiered-throttle/async-too-many", "60"]);
    placeOf(await by("eve", "south"));
    const full = await by("kim", "west");
    expect([full.status, full.code, full.headers["retry-after"]]).toEqual([
      503,
      "tiered-throttle/async-queue-full",
      "60",
    ]);
    release();
    await at.operations.close();

    const small = await world(express, {
      maxStoredBytes: 100,
      run: async (_job, { output }) => output("Patient").write({ text: "x".repeat(80) }),
    });
    const place = placeOf(await kickOff(small));
    expect((await finished(small, place)).status).toBe(200);
    const second = await finished(small, placeOf(await kickOff(small)));
    expect(second.code).toBe("tiered-throttle/async-too-large");
    await small.operations.close();

    const line = { run: (async (_job, { output }) => output("Patient").write({ a: 1 })) satisfies RunJob };
    const exact = await world(express, { ...line, maxStoredBytes: 8 });
    const only = placeOf(await kickOff(exact));
    expect((await finished(exact, only)).status).toBe(200);
    const none = await kickOff(exact);
    expect([none.status, none.code, none.headers["retry-after"]]).toEqual([
      503,
      "tiered-throttle/async-storage-full",
      "60",
    ]);
    expect((await ask(exact.origin + only, asUser("anna", { method: "DELETE" }))).status).toBe(202);
    await exact.operations.sweep();
    placeOf(await kickOff(exact));
    await exact.operations.close();
  });

  it("a body goes along when it is JSON, and is refused otherwise", async () => {
    const bodies: unknown[] = [];
    const at = await world(express, {
      run: async ({ asked }) => void bodies.push(asked),
      requestBytes: 200,
    });
    const post = (type: string, body: string): Promise<Answer> =>
      ask(
        `${at.origin}/fhir/$export`,
        asUser("anna", { method: "POST", body, headers: { prefer: "respond-async", "content-type": type } }),
      );
    await finished(at, placeOf(await post("application/fhir+json", '{"resourceType":"Parameters"}')));
    expect(bodies).toEqual([{ method: "POST", url: "/$export", body: { resourceType: "Parameters" } }]);
    for (const [type, body, code] of [
      ["application/x-www-form-urlencoded", "_type=Patient", "tiered-throttle/async-body-unsupported"],
      ["application/fhir+json", '{"a":1,"a":2}', "policy-types/body-malformed"],
      ["application/fhir+json", `"${"x".repeat(300)}"`, "policy-types/body-too-long"],
    ] as const)
      expect((await post(type, body)).code).toBe(code);
    await at.operations.close();
  });

  it.each([
    [
      "a rule that throws",
      {
        tierOf: () => {
          throw new Error("broken");
        },
      },
    ],
    [
      "a caller's name that cannot be read",
      {
        callerOf: () => {
          throw new Error("broken");
        },
      },
    ],
    [
      "offers that throw",
      {
        offers: () => {
          throw new Error("broken");
        },
      },
    ],
    [
      "a queue that does not answer",
      {
        storeDeadlineMs: 20,
        queue: {
          ready: () => Promise.resolve(),
          add: () => new Promise<never>(() => undefined),
          load: () => new Promise<never>(() => undefined),
          remove: () => Promise.resolve(),
          work: () => undefined,
          sweep: () => Promise.resolve(),
          standings: () => Promise.resolve([]),
          close: () => Promise.resolve(),
        },
      },
    ],
  ])("F1: %s answers 503 and starts nothing", async (_what, options) => {
    const at = await world(express, options);
    const answer = await kickOff(at);
    expect([answer.status, answer.code, answer.headers["retry-after"]]).toEqual([
      503,
      "tiered-throttle/async-unavailable",
      "5",
    ]);
    expect(at.passed).toBe(0);
    expect(at.errors.length).toBe(1);
    await at.operations.close();
  });

  it("after an orderly restart every job is still its caller's, with its files", async () => {
    const folder = await emptyFolder();
    const before = await world(express, { folder });
    const place = placeOf(await kickOff(before));
    await finished(before, place);
    await before.operations.close();
    const after = await world(express, { folder });
    await after.operations.ready();
    expect((await ask(`${after.origin}${place}/0`, asUser("anna"))).text).toBe('{"resourceType":"Patient","id":"a"}\n');
    expect((await ask(after.origin + place, asUser("eve"))).status).toBe(404);
    await after.operations.close();
  });
});
