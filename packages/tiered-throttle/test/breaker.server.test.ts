import { get, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import type { ConfigurationError, Decision } from "@wardline/policy-types";
import { freePort, listen } from "@wardline-tools/test-kit";
import { describe, expect, it } from "vitest";
import {
  type Breaker,
  type BreakerOptions,
  type CallOptions,
  createBreaker,
  type UpstreamWork,
} from "../src/breaker/index.ts";

const QUICK = {
  minimumCalls: 5,
  windowMs: 60_000,
  openMs: 60_000,
  slowCallMs: 40,
  timeoutMs: 2000,
  probes: 1,
} as const;

/** A real upstream, and a breaker in front of it. */
async function upstream(answer: RequestListener, options: Partial<BreakerOptions> = {}) {
  let asked = 0;
  const origin = await listen((req: IncomingMessage, res: ServerResponse) => {
    asked += 1;
    answer(req, res);
  });
  const breaker = createBreaker({ name: "records", ...QUICK, ...options });
  return {
    origin,
    breaker,
    asked: () => asked,
    call: (path = "/", call: CallOptions = {}) => ask(breaker, origin + path, call),
  };
}

async function ask(breaker: Breaker, url: string, call: CallOptions = {}): Promise<string> {
  const work: UpstreamWork<number> = async (signal) => {
    const response = await fetch(url, { signal });
    await response.arrayBuffer();
    return response.status;
  };
  // What `classify` reads is the answer; here it is only its status.
  const wrapped: UpstreamWork<{ status: number }> = async (signal, follow) => ({ status: await work(signal, follow) });
  return breaker.execute(wrapped, call).then(describeDecision, () => "threw");
}

function describeDecision(decision: Decision<{ status: number }>): string {
  return decision.kind === "permit" ? String(decision.grant.status) : decision.problem.code;
}

async function times(count: number, one: () => Promise<string>): Promise<string[]> {
  const all: string[] = [];
  for (let n = 0; n < count; n++) all.push(await one());
  return all;
}

const OPEN = "tiered-throttle/breaker-open";
const answering =
  (status: number): RequestListener =>
  (_req, res) =>
    void res.writeHead(status).end("{}");

describe("a breaker in front of a real upstream", () => {
  it("opens when the upstream fails, says when to come again, and asks it no more", async () => {
    const { breaker, call, asked } = await upstream(answering(500));
    expect(await times(8, call)).toEqual(["500", "500", "500", "500", "500", OPEN, OPEN, OPEN]);
    expect(asked()).toBe(5);
    const refusal = await breaker.execute(() => Promise.reject(new Error("not to be run")));
    expect(refusal).toMatchObject({ kind: "deny", problem: { status: 503, issue: "transient" } });
    const after = Number(refusal.kind === "deny" && refusal.problem.headers?.["Retry-After"]);
    expect(after).toBeGreaterThan(50);
    expect(after).toBeLessThanOrEqual(60);
    expect(breaker.state()).toMatchObject({ state: "open", totals: { failed: 5, refused: 4, opened: 1 } });
    expect(breaker.state().retryAfterSeconds).toBeLessThanOrEqual(60);
  });

  it("opens when nobody listens", async () => {
    const port = await freePort();
    const breaker = createBreaker({ name: "gone", ...QUICK });
    expect(await times(6, () => ask(breaker, `http://127.0.0.1:${port}/`))).toEqual([
      ...Array<string>(5).fill("threw"),
      OPEN,
    ]);
  });

  it.each([400, 401, 403, 404, 409, 412, 422, 429, 501])("F13: never opens on the callers' own %i", async (status) => {
    const { breaker, call } = await upstream(answering(status));
    expect(new Set(await times(20, call))).toEqual(new Set([String(status)]));
    expect(breaker.state()).toMatchObject({ state: "closed", failed: 0 });
  });

  it("F13: never opens on what it refused itself, nor counts it", async () => {
    const held: ServerResponse[] = [];
    const { breaker, call } = await upstream((_req, res) => void held.push(res), { concurrency: 2, slowCallMs: 1900 });
    const running = [call(), call()];
    await expect.poll(() => held.length).toBe(2);
    expect(new Set(await times(30, call))).toEqual(new Set(["tiered-throttle/upstream-full"]));
    expect(breaker.state()).toMatchObject({ state: "closed", calls: 0, running: 2 });
    for (const res of held) res.end("{}");
    expect(await Promise.all(running)).toEqual(["200", "200"]);
    expect(breaker.state()).toMatchObject({ calls: 2, failed: 0, running: 0 });
  });

  it("F13: never opens on clients that leave, and passes their leaving on", async () => {
    const { breaker, call, asked } = await upstream(() => undefined, { slowCallMs: 2000 });
    let left = 0;
    for (let n = 1; n <= 12; n++) {
      const client = new AbortController();
      const made = call("/", { signal: client.signal });
      await expect.poll(asked).toBe(n);
      client.abort();
      if ((await made) === "threw") left += 1;
    }
    expect(left).toBe(12);
    expect(breaker.state()).toMatchObject({ state: "closed", calls: 0, totals: { none: 12 }, running: 0 });
  });

  it("a slow upstream opens it, and the others are untouched", async () => {
    const slow = await upstream((_req, res) => void setTimeout(() => res.end("{}"), 80));
    const well = await upstream(answering(200));
    expect(await times(7, slow.call)).toEqual([...Array<string>(5).fill("200"), OPEN, OPEN]);
    expect(slow.breaker.state()).toMatchObject({ state: "open", totals: { slow: 5 } });
    expect(new Set(await times(10, well.call))).toEqual(new Set(["200"]));
    expect(well.breaker.state().state).toBe("closed");
  });

  it("clients that give up on a slow upstream do not hide that it is slow", async () => {
    const { breaker, call } = await upstream(() => undefined);
    for (let n = 0; n < 5; n++) await call("/", { signal: AbortSignal.timeout(90) });
    expect(breaker.state()).toMatchObject({ state: "open", totals: { slow: 5 } });
  });

  it("F1: gives a silent upstream up at its own deadline, also when the work does not listen", async () => {
    const { breaker, call } = await upstream(() => undefined, { timeoutMs: 60, minimumCalls: 3 });
    expect(await times(2, call)).toEqual(Array<string>(2).fill("tiered-throttle/upstream-timeout"));
    const deaf = await breaker.execute(() => new Promise<never>(() => undefined));
    expect(deaf).toMatchObject({ kind: "deny", problem: { status: 504, issue: "timeout" } });
    // F13: that work still runs, so its place is still taken.
    expect(breaker.state()).toMatchObject({ state: "open", running: 1 });
  });

  it("a rule that throws vouches for nobody, and costs no answer", async () => {
    const broken = (): never => {
      throw new Error("broke");
    };
    const { breaker, call } = await upstream(answering(200), { classify: broken, classifyError: broken });
    expect(await times(6, call)).toEqual([...Array<string>(5).fill("200"), OPEN]);
    expect(breaker.state()).toMatchObject({ state: "open", running: 0 });
  });

  it("closes when the upstream is well again", async () => {
    let well = false;
    const clock = { ms: 0 };
    const states: string[] = [];
    const { call, breaker } = await upstream((_req, res) => void res.writeHead(well ? 200 : 500).end("{}"), {
      now: () => clock.ms,
      probes: 2,
      onState: ({ name, state }) => {
        states.push(`${name} ${state}`);
        throw new Error("a broken listener");
      },
    });
    await times(6, call);
    clock.ms += 60_000;
    expect(await times(2, call)).toEqual(["500", OPEN]);
    well = true;
    clock.ms += 60_000;
    expect(await times(4, call)).toEqual(["200", "200", "200", "200"]);
    expect(breaker.state().state).toBe("closed");
    expect(states).toEqual(["open", "half-open", "open", "half-open", "closed"].map((state) => `records ${state}`));
  });

  it("F13: a probe whose client leaves goes on, so that nobody keeps the circuit open by leaving", async () => {
    let status = 500;
    const { breaker, call } = await upstream((req, res) => void setTimeout(() => answering(status)(req, res), 50), {
      openMs: 20,
      slowCallMs: 1000,
    });
    await times(5, call);
    status = 200;
    await new Promise((resolve) => setTimeout(resolve, 30));
    // Long before the upstream answers.
    await call("/", { signal: AbortSignal.timeout(5) });
    await expect.poll(() => breaker.state().state).toBe("closed");
  });

  it("lets a single probe through, however many ask", async () => {
    const clock = { ms: 0 };
    const held: ServerResponse[] = [];
    const { call, asked } = await upstream(
      (_req, res) => void (asked() <= 5 ? res.writeHead(500).end() : held.push(res)),
      {
        now: () => clock.ms,
      },
    );
    await times(5, call);
    clock.ms += 60_000;
    const many = Array.from({ length: 20 }, () => call());
    await expect.poll(() => held.length).toBe(1);
    held[0]?.end("{}");
    const answers = await Promise.all(many);
    expect(answers.filter((answer) => answer === "200").length).toBe(1);
    expect(asked()).toBe(6);
  });
});

describe("bodies", () => {
  /** Gives the answer as soon as its head is there, like a proxy. */
  function open(breaker: Breaker, url: string, signal?: AbortSignal): Promise<Decision<IncomingMessage>> {
    const work: UpstreamWork<IncomingMessage> = (deadline, follow) =>
      new Promise((resolve, reject) => {
        get(url, { signal: deadline, agent: false }, (res) => {
          follow(res);
          resolve(res);
        }).once("error", reject);
      });
    return breaker.execute(work, signal === undefined ? {} : { signal });
  }

  const breaking: RequestListener = (_req, res) => {
    res.write("half", () => res.destroy());
  };

  it("one that breaks off counts as a failure", async () => {
    const { breaker, origin } = await upstream(breaking);
    for (let n = 0; n < 5; n++) {
      const decision = await open(breaker, origin);
      if (decision.kind === "permit") decision.grant.on("error", () => undefined).resume();
      await expect.poll(() => breaker.state().running).toBe(0);
    }
    await expect.poll(() => breaker.state().state).toBe("open");
  });

  it("F13: a place is taken until the body has ended", async () => {
    const held: ServerResponse[] = [];
    const { breaker, origin } = await upstream(
      (_req, res) => {
        held.push(res);
        res.write("begun");
      },
      { concurrency: 1 },
    );
    const first = await open(breaker, origin);
    expect(first.kind).toBe("permit");
    if (first.kind === "permit") first.grant.resume();
    expect(await open(breaker, origin)).toMatchObject({
      kind: "deny",
      problem: { code: "tiered-throttle/upstream-full" },
    });
    held[0]?.end();
    await expect.poll(() => breaker.state().running).toBe(0);
    expect((await open(breaker, origin)).kind).toBe("permit");
  });

  it("F13: one that its client left frees the place and is no failure", async () => {
    const { breaker, origin } = await upstream((_req, res) => void res.write("begun"), { concurrency: 1 });
    for (let n = 0; n < 8; n++) {
      const client = new AbortController();
      const decision = await open(breaker, origin, client.signal);
      if (decision.kind === "permit") decision.grant.on("error", () => undefined).resume();
      client.abort();
      await expect.poll(() => breaker.state().running).toBe(0);
    }
    expect(breaker.state()).toMatchObject({ state: "closed", failed: 0 });
  });

  it("the deadline is for the answer, and cuts no body that has begun", async () => {
    const { breaker, origin } = await upstream(
      (_req, res) => {
        res.write("begun");
        setTimeout(() => res.end("whole"), 150);
      },
      { timeoutMs: 60 },
    );
    const decision = await open(breaker, origin);
    let text = "";
    if (decision.kind === "permit")
      for await (const chunk of decision.grant as AsyncIterable<Buffer>) text += chunk.toString();
    expect(text).toBe("begunwhole");
  });
});

describe("retries", () => {
  const flaky = (): RequestListener => {
    let n = 0;
    return (req, res) => void (n++ % 2 === 0 ? req.socket.destroy() : res.end("{}"));
  };

  it.each([
    ["GET", 0.5, "200", 2],
    ["HEAD", 0.5, "200", 2],
    ["POST", 0.5, "threw", 1],
    ["PUT", 0.5, "threw", 1],
    ["DELETE", 0.5, "threw", 1],
    [undefined, 0.5, "threw", 1],
    ["GET", 0, "threw", 1],
  ])("%s with a share of %d: %s after %d calls", async (method, retryShare, expected, calls) => {
    const { call, asked } = await upstream(flaky(), { retryShare });
    expect(await call("/", method === undefined ? {} : { method })).toBe(expected);
    expect(asked()).toBe(calls);
  });

  it("stay within their budget when everything fails", async () => {
    const { call, asked, breaker } = await upstream((req) => void req.socket.destroy(), {
      retryShare: 0.1,
      minimumCalls: 1000,
    });
    await times(50, () => call("/", { method: "GET" }));
    expect(breaker.state().totals.retried).toBeLessThanOrEqual(6);
    expect(asked()).toBe(50 + breaker.state().totals.retried);
  });

  it("are not made for an answer, nor for a time-out", async () => {
    const failing = await upstream(answering(500), { retryShare: 0.5 });
    expect(await failing.call("/", { method: "GET" })).toBe("500");
    const silent = await upstream(() => undefined, { retryShare: 0.5, timeoutMs: 60 });
    await silent.call("/", { method: "GET" });
    expect([failing.asked(), silent.asked()]).toEqual([1, 1]);
  });
});

describe("options of createBreaker", () => {
  it.each<[string, unknown, readonly string[]]>([
    ["no name", {}, ["name not-a-name"]],
    ["a name that is no label", { name: "a b" }, ["name not-a-name"]],
    ["a misspelled option", { name: "a", openMS: 1 }, ["openMS unknown-option"]],
    ["slow after the deadline", { name: "a", slowCallMs: 2000, timeoutMs: 1000 }, ["slowCallMs out-of-range"]],
    ["a first pause beyond the longest", { name: "a", openMs: 2000, maxOpenMs: 1000 }, ["openMs out-of-range"]],
    ["shared without Redis", { name: "a", shared: {} }, ["shared.sendCommand not-a-function"]],
    [
      "all at once",
      { name: "a", errorRate: 0, slowRate: 2, retryShare: 0.6, probes: 0, concurrency: 0, now: 1 },
      [
        "probes out-of-range",
        "errorRate out-of-range",
        "slowRate out-of-range",
        "retryShare out-of-range",
        "concurrency out-of-range",
        "now not-a-function",
      ],
    ],
  ])("refuses %s", (_what, options, expected) => {
    try {
      createBreaker(options as BreakerOptions);
    } catch (error) {
      expect((error as ConfigurationError).issues.map(({ path, code }) => `${path} ${code}`)).toEqual(expected);
      return;
    }
    expect.unreachable();
  });
});
