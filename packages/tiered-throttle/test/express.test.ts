import { request } from "node:http";
import type { Principal } from "@wardline/policy-types";
import { contextOf, requireControls, sendProblem } from "@wardline/policy-types/express";
import { type Answer, askPort, EXPRESS, listenOnPort } from "@wardline-tools/test-kit";
import type { NextFunction, Request, RequestHandler, Response } from "express";
import { MemoryStore, type Store } from "express-rate-limit";
import { describe, expect, it, vi } from "vitest";
import { doorThrottle, holdSlot, type TieredThrottleOptions, tieredThrottle } from "../src/index.ts";
import { parseStringList } from "./support/structured-fields.ts";

const BURST = { name: "burst", limit: 2, windowSeconds: 60, by: "client" } as const;
const DAILY = { name: "daily", limit: 4, windowSeconds: 86_400, by: "user" } as const;

/** Who calls, as `client/user`: what smart-auth would leave. */
const identify: RequestHandler = (req, _res, next) => {
  const [clientId, subject] = req.get("x-who")?.split("/") ?? [];
  if (subject !== undefined) {
    const principal: Principal = {
      method: "jwt",
      issuer: "https://as.example",
      subject,
      ...(clientId === "" || clientId === undefined ? {} : { clientId }),
      roles: [],
      purposeOfUse: [],
      launch: {},
      scopes: [],
    };
    contextOf(req).principal = principal;
  }
  next();
};

function clock(): { now: () => number; wait: (seconds: number) => void } {
  let time = 1_000_000;
  return {
    now: () => time,
    wait: (seconds) => {
      time += seconds * 1000;
    },
  };
}

const as = (who: string): { headers: string[] } => ({ headers: ["Host", "x.example", "X-Who", who] });
const statusesOf = (answers: readonly Answer[]): number[] => answers.map(({ status }) => status);

const expectRefusal = (answer: Answer, name = "rate-exceeded", status = 429): void => {
  expect([answer.status, answer.code]).toEqual([status, `tiered-throttle/${name}`]);
  expect(answer.headers["content-type"]).toBe("application/fhir+json; charset=utf-8");
  expect(answer.headers["retry-after"]).toMatch(/^[1-9]\d*$/);
  expect(JSON.parse(answer.text)).toMatchObject({
    resourceType: "OperationOutcome",
    issue: [{ code: status === 429 ? "throttled" : "transient" }],
  });
};

describe.each(EXPRESS)("tieredThrottle on %s", (_name, express) => {
  async function serve(
    options: Partial<TieredThrottleOptions>,
    handler: (req: Request, res: Response) => void = (_req, res) => void res.json({ ok: true }),
  ): Promise<{ call: (who?: string) => Promise<Answer>; port: number; ran: () => number; because: string[][] }> {
    const app = express();
    const seen = vi.fn();
    const because: string[][] = [];
    app.use(identify, (req, res, next) => {
      res.once("close", () => because.push(contextOf(req).decisions.flatMap((decision) => [...decision.because])));
      next();
    });
    app.use(tieredThrottle({ windows: [BURST], now: clock().now, ...options }));
    app.use((req, res) => {
      seen();
      handler(req, res);
    });
    app.use((_error: unknown, _req: Request, res: Response, _next: NextFunction) => {
      res.status(500).end();
    });
    const port = await listenOnPort(app);
    return { port, because, ran: () => seen.mock.calls.length, call: (who = "app/ann") => askPort(port, as(who)) };
  }

  async function times(count: number, call: () => Promise<Answer>): Promise<number[]> {
    const answers: Answer[] = [];
    for (let index = 0; index < count; index++) answers.push(await call());
    return statusesOf(answers);
  }

  it("refuses what is over the quota, and the handler does not run", async () => {
    const { call, ran } = await serve({});
    expect(await times(2, call)).toEqual([200, 200]);
    expectRefusal(await call());
    expect(ran()).toBe(2);
  });

  it("tells quotas on permits and refusals, and Retry-After is enough", async () => {
    const { now, wait } = clock();
    const { call } = await serve({ windows: [BURST, DAILY], now });
    const first = await call();
    expect(first.headers["ratelimit-policy"]).toBe('"burst";q=2;w=60, "daily";q=4;w=86400');
    expect(first.headers["ratelimit"]).toBe('"burst";r=1;t=60');
    wait(20.5);
    await call();
    const refused = await call();
    expectRefusal(refused);
    expect(parseStringList(String(refused.headers["ratelimit"]))).toEqual([
      { value: "burst", parameters: { r: 0, t: 40 } },
    ]);
    expect(refused.headers["retry-after"]).toBe("40");
    wait(39);
    expect((await call()).status).toBe(429);
    wait(1);
    expect((await call()).status).toBe(200);
  });

  it("F14: several windows charge all or none; refusals are free", async () => {
    const { now, wait } = clock();
    const { call } = await serve({ windows: [BURST, DAILY], now });
    expect(await times(6, call)).toEqual([200, 200, 429, 429, 429, 429]);
    wait(60);
    // Had the refusals been charged, the daily quota of four would be gone.
    expect(await times(2, call)).toEqual([200, 200]);
    wait(60);
    const refused = await call();
    expectRefusal(refused);
    expect(refused.headers["ratelimit"]).toBe('"daily";r=0;t=86280');
    // The daily refusal of ann did not touch the burst window of her app.
    expect(await times(3, () => call("app/bob"))).toEqual([200, 200, 429]);
  });

  it("charges clients, users and addresses apart, and an address when nobody is known", async () => {
    const { call, because } = await serve({});
    expect(await times(2, () => call("app/ann"))).toEqual([200, 200]);
    expect((await call("app/bob")).status).toBe(429);
    expect((await call("other/ann")).status).toBe(200);
    expect(await times(3, () => call(""))).toEqual([200, 200, 429]);
    // A user without a client shares the address's quota.
    expect((await call("/ann")).status).toBe(429);
    await expect.poll(() => because.length).toBe(8);
    expect(because[0]).toEqual(["within burst"]);
    expect(because[2]).toEqual(["window burst is full"]);
    expect(because[4]).toEqual(["within burst", "no client: charged to the address"]);
  });

  it("S4: a header is no address", async () => {
    const { port } = await serve({ windows: [{ ...BURST, by: "address" }] });
    const from = (address: string): Promise<Answer> =>
      askPort(port, { headers: ["Host", "x", "X-Forwarded-For", address] });
    expect(statusesOf([await from("192.0.2.1"), await from("192.0.2.2"), await from("192.0.2.3")])).toEqual([
      200, 200, 429,
    ]);
  });

  it("takes the address it is given to read", async () => {
    const { port } = await serve({
      windows: [{ ...BURST, by: "address" }],
      addressOf: (req) => String(req.headers["x-forwarded-for"]),
    });
    const from = (address: string): Promise<Answer> =>
      askPort(port, { headers: ["Host", "x", "X-Forwarded-For", address] });
    for (const address of ["192.0.2.1", "192.0.2.1", "192.0.2.2"]) expect((await from(address)).status).toBe(200);
    expectRefusal(await from("::ffff:192.0.2.1"));
  });

  it("records its decision, and satisfies requireControls", async () => {
    const app = express();
    const decisions: unknown[] = [];
    app.use((req, res, next) => {
      res.once("close", () => decisions.push(contextOf(req).decisions[0]));
      next();
    });
    app.use(tieredThrottle({ windows: [{ ...BURST, limit: 1 }] }), requireControls(["tiered-throttle"]));
    app.use((_req: Request, res: Response) => void res.json({}));
    const port = await listenOnPort(app);
    expect(statusesOf([await askPort(port), await askPort(port)])).toEqual([200, 429]);
    await expect.poll(() => decisions.length).toBe(2);
    expect(decisions).toMatchObject([
      { control: "tiered-throttle", kind: "permit" },
      { control: "tiered-throttle", kind: "deny", code: "tiered-throttle/rate-exceeded" },
    ]);
  });

  it("S15: a refusal holds nothing of the caller", async () => {
    const { call } = await serve({ windows: [{ ...BURST, limit: 1 }] });
    await call("secret-app/secret-ann");
    const answer = await call("secret-app/secret-ann");
    expectRefusal(answer);
    expect(answer.text + JSON.stringify(answer.headers)).not.toMatch(/secret|as\.example/);
  });

  it("two instances in one process do not meet", async () => {
    const one = await serve({});
    const two = await serve({});
    expect(await times(2, one.call)).toEqual([200, 200]);
    expect(await times(2, two.call)).toEqual([200, 200]);
  });

  describe("F13: slots", () => {
    const WIDE = { ...BURST, limit: 1000 };
    /** Starts a request and leaves it unanswered. */
    const hang = (port: number): { sent: ReturnType<typeof request>; closed: Promise<void> } => {
      const sent = request({ port, host: "127.0.0.1", headers: { "x-who": "app/ann" }, agent: false });
      sent.on("error", () => undefined);
      sent.end();
      return { sent, closed: new Promise((resolve) => sent.once("close", () => resolve())) };
    };

    it("are per client, and a refusal for want of one is not charged", async () => {
      const waiting: Response[] = [];
      const { call, port, ran } = await serve({ windows: [{ ...BURST, limit: 3 }], concurrency: 2 }, (_req, res) => {
        if (waiting.push(res) > 2) res.json({});
      });
      const held = [hang(port), hang(port)];
      await expect.poll(ran).toBe(2);
      for (let index = 0; index < 3; index++) expectRefusal(await call("app/bob"), "concurrency-exceeded");
      expect((await call("other/ann")).status).toBe(200);
      for (const res of waiting) if (!res.writableEnded) res.json({});
      await Promise.all(held.map(({ closed }) => closed));
      expect((await call()).status).toBe(200);
      expectRefusal(await call());
    });

    it("are kept by work that outlives its answer, until it ends", async () => {
      const ends: (() => void)[] = [];
      const { call } = await serve({ windows: [WIDE], concurrency: 1 }, (req, res) => {
        ends.push(holdSlot(req));
        res.json({});
      });
      expect((await call()).status).toBe(200);
      expectRefusal(await call(), "concurrency-exceeded");
      for (let times = 0; times < 2; times++) ends[0]?.();
      expect((await call()).status).toBe(200);
    });

    it.each<[string, (req: Request, res: Response) => void]>([
      ["the answer is sent", (_req, res) => void res.json({})],
      ["the answer is empty", (_req, res) => void res.status(204).end()],
      [
        "a stage behind refuses",
        (_req, res) => sendProblem(res, { code: "t/no", status: 404, issue: "not-found", detail: "No." }),
      ],
      [
        "the handler throws",
        () => {
          throw new Error("broke");
        },
      ],
      ["the handler cuts the connection", (_req, res) => void res.destroy()],
      [
        "the answer breaks off",
        (_req, res) => {
          res.write("x", () => res.destroy());
        },
      ],
    ])("are returned when %s", async (_what, handler) => {
      const { call } = await serve({ windows: [WIDE], concurrency: 1 }, handler);
      for (let index = 0; index < 3; index++) {
        const status = await call().then(
          (answer) => answer.status,
          () => 0,
        );
        expect(status).not.toBe(429);
      }
    });

    it.each([
      ["before the head", false],
      ["after the head", true],
    ])("are returned when the client leaves %s", async (_when, begun) => {
      const { call, port, ran } = await serve({ windows: [WIDE], concurrency: 1 }, (_req, res) => {
        if (ran() > 1) res.json({});
        else if (begun) res.write("x");
      });
      const { sent, closed } = hang(port);
      await expect.poll(ran).toBe(1);
      expectRefusal(await call(), "concurrency-exceeded");
      sent.destroy();
      await closed;
      await expect.poll(async () => (await call()).status).toBe(200);
    });

    it("are not taken for a client that left before it was counted", async () => {
      const app = express();
      const handler = vi.fn((_req: Request, res: Response) => void res.json({}));
      const stalled: (() => void)[] = [];
      app.use(
        (req, _res, next) => {
          if (req.url === "/stall") stalled.push(next);
          else next();
        },
        tieredThrottle({ windows: [WIDE], concurrency: 1 }),
        handler,
      );
      const port = await listenOnPort(app);
      const sent = request({ port, host: "127.0.0.1", path: "/stall", agent: false });
      sent.on("error", () => undefined);
      sent.end();
      await expect.poll(() => stalled.length).toBe(1);
      sent.destroy();
      await new Promise((resolve) => setTimeout(resolve, 50));
      stalled[0]?.();
      expect(handler).not.toHaveBeenCalled();
      expect((await askPort(port)).status).toBe(200);
    });
  });

  describe("a store outside the process", () => {
    const WINDOWS = [BURST, DAILY];
    const storeOf = (parts: Partial<Store>): Store => ({
      increment: () => Promise.reject(new Error("down")),
      decrement: () => undefined,
      resetKey: () => undefined,
      ...parts,
    });
    const failing = (): Store => storeOf({});

    it("counts with express-rate-limit's own store, all windows or none", async () => {
      const stores: MemoryStore[] = [];
      const { call } = await serve({
        windows: WINDOWS,
        now: Date.now,
        store: () => {
          const store = new MemoryStore();
          stores.push(store);
          return store;
        },
      });
      const first = await call();
      expect(first.headers["ratelimit"]).toBe('"burst";r=1;t=60');
      expect(await times(4, call)).toEqual([200, 429, 429, 429]);
      expectRefusal(await call());
      expect(await times(3, () => call("other/ann"))).toEqual([200, 200, 429]);
      for (const store of stores) store.shutdown();
    });

    it("never admits more than the quota, however many ask at once", async () => {
      const store = new MemoryStore();
      const { call } = await serve({ windows: [{ ...BURST, limit: 5 }], store: () => store });
      const statuses = statusesOf(await Promise.all(Array.from({ length: 30 }, () => call())));
      expect(statuses.filter((status) => status === 200).length).toBeLessThanOrEqual(5);
      expect(statuses.filter((status) => status === 200).length).toBeGreaterThan(0);
      store.shutdown();
    });

    it.each<[string, () => Store]>([
      ["rejects", failing],
      [
        "throws",
        () => ({
          ...failing(),
          increment: () => {
            throw new Error("down");
          },
        }),
      ],
      ["hangs", () => ({ ...failing(), increment: () => new Promise(() => undefined) })],
      [
        "answers no number",
        () => ({ ...failing(), increment: () => ({ totalHits: Number.NaN, resetTime: undefined }) }),
      ],
      ["answers nothing", () => ({ ...failing(), increment: () => undefined as never })],
    ])("F4: that %s: this process counts its share", async (_what, store) => {
      const states: string[] = [];
      const { call, because } = await serve({
        windows: [{ ...BURST, limit: 5 }],
        store,
        storeDeadlineMs: 20,
        expectedReplicas: 2,
        onStoreState: (state) => states.push(state),
      });
      expect(await times(4, call)).toEqual([200, 200, 429, 429]);
      expect(states).toEqual(["down"]);
      await expect.poll(() => because.length).toBe(4);
      expect(because[0]).toContain("counter store down: counted in this process");
    });

    it("F6: or nobody is let in, when the tier is to be closed", async () => {
      const { call, ran } = await serve({ store: failing, onStoreFailure: "closed", storeRetrySeconds: 7 });
      const answer = await call();
      expectRefusal(answer, "store-unavailable", 503);
      expect(answer.headers["retry-after"]).toBe("7");
      expect(ran()).toBe(0);
    });

    it("F5: an outage costs one deadline per interval, and the store is used again when it is back", async () => {
      const { now, wait } = clock();
      let asked = 0;
      let up = false;
      const states: string[] = [];
      const { call } = await serve({
        windows: [{ ...BURST, limit: 100 }],
        now,
        storeRetrySeconds: 5,
        storeDeadlineMs: 20,
        onStoreState: (state) => {
          states.push(state);
          throw new Error("a broken listener");
        },
        store: () =>
          storeOf({
            increment: () => {
              asked += 1;
              return up ? { totalHits: 40, resetTime: undefined } : new Promise(() => undefined);
            },
            decrement: () => undefined,
          }),
      });
      expect(await times(10, call)).toEqual(Array<number>(10).fill(200));
      expect(asked).toBe(1);
      wait(5);
      await Promise.all(Array.from({ length: 10 }, () => call()));
      expect(asked).toBe(2);
      up = true;
      wait(4);
      await call();
      expect(asked).toBe(2);
      wait(1);
      expect((await call()).headers["ratelimit"]).toContain("r=60");
      expect((await call()).headers["ratelimit"]).toContain("r=60");
      expect([asked, states]).toEqual([4, ["down", "up"]]);
    });

    it("F2: what a time-out left unknown is never asked again nor undone", async () => {
      const calls: string[] = [];
      const { call } = await serve({
        windows: WINDOWS,
        storeDeadlineMs: 20,
        store: ({ name }) =>
          storeOf({
            increment: () => {
              calls.push(`+${name}`);
              return name === "daily" ? new Promise(() => undefined) : { totalHits: 1, resetTime: undefined };
            },
            decrement: () => void calls.push(`-${name}`),
          }),
      });
      expect((await call()).status).toBe(200);
      expect(calls).toEqual(["+burst", "+daily"]);
    });

    it("F14: a refusal gives every charge back", async () => {
      const calls: string[] = [];
      const { call } = await serve({
        windows: WINDOWS,
        store: ({ name }) =>
          storeOf({
            increment: () => ({ totalHits: name === "daily" ? 5 : 1, resetTime: new Date(1_000_000 + 30_000) }),
            decrement: () => void calls.push(name),
          }),
      });
      const answer = await call();
      expectRefusal(answer);
      expect(answer.headers["ratelimit"]).toBe('"daily";r=0;t=30');
      expect(calls).toEqual(["burst", "daily"]);
    });

    it("a client that left while the store was asked returns its slot, and the handler does not run", async () => {
      let answerStore: (() => void) | undefined;
      const { port, call, ran } = await serve({
        windows: [BURST],
        concurrency: 1,
        storeDeadlineMs: 5000,
        store: () =>
          storeOf({
            increment: () =>
              new Promise((resolve) => {
                if (answerStore !== undefined) resolve({ totalHits: 1, resetTime: undefined });
                answerStore = () => resolve({ totalHits: 1, resetTime: undefined });
              }),
            decrement: () => undefined,
          }),
      });
      const sent = request({ port, host: "127.0.0.1", headers: { "x-who": "app/ann" }, agent: false });
      sent.on("error", () => undefined);
      sent.end();
      await expect.poll(() => answerStore !== undefined).toBe(true);
      sent.destroy();
      await new Promise((resolve) => setTimeout(resolve, 50));
      answerStore?.();
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(ran()).toBe(0);
      expect((await call()).status).toBe(200);
    });
  });
});

describe.each(EXPRESS)("doorThrottle on %s", (_name, express) => {
  async function serve(address: {
    current: string | undefined;
  }): Promise<{ call: () => Promise<Answer>; wait: (seconds: number) => void }> {
    const { now, wait } = clock();
    const app = express();
    app.use(doorThrottle({ limit: 2, windowSeconds: 10, now, addressOf: () => address.current }));
    app.use(requireControls(["tiered-throttle-door"]), (_req: Request, res: Response) => void res.json({}));
    const port = await listenOnPort(app);
    return { call: () => askPort(port), wait };
  }

  it("S5: limits an address before anybody is authenticated, IPv6 by its prefix", async () => {
    const address = { current: "2001:db8:0:1100::1" };
    const { call, wait } = await serve(address);
    expect((await call()).status).toBe(200);
    address.current = "2001:db8:0:11ff::2";
    const permitted = await call();
    expect([permitted.status, permitted.headers["ratelimit"]]).toEqual([200, undefined]);
    const refused = await call();
    expectRefusal(refused);
    expect(refused.headers).toMatchObject({ ratelimit: '"door";r=0;t=10', "retry-after": "10" });
    address.current = "2001:db8:0:1200::1";
    expect((await call()).status).toBe(200);
    wait(10);
    address.current = "2001:db8:0:1100::9";
    expect((await call()).status).toBe(200);
  });

  it("callers without an address share one quota", async () => {
    const { call } = await serve({ current: undefined });
    expect(statusesOf([await call(), await call(), await call()])).toEqual([200, 200, 429]);
  });
});
