import { get, request } from "node:http";
import { contextOf, requireControls, sendProblem } from "@wardline/policy-types/express";
import { type Answer, askPort, EXPRESS, listenOnPort } from "@wardline-tools/test-kit";
import type { NextFunction, Request, Response } from "express";
import { describe, expect, it } from "vitest";
import {
  holdSlot,
  type PoolDecision,
  type ReservedPools,
  type ReservedPoolsOptions,
  reservedPools,
} from "../src/pools/index.ts";

const POOLS = { device: { reserved: 1, lend: 1, priority: 9 }, ordinary: {} };

function expectRefusal(answer: Answer, code: string, status = 503): void {
  expect([answer.status, answer.code]).toEqual([status, `tiered-throttle/${code}`]);
  if (status === 503) expect(Number(answer.headers["retry-after"])).toBeGreaterThanOrEqual(1);
  expect(answer.headers["cache-control"]).toBe("no-store");
}

describe.each(EXPRESS)("reservedPools on %s", (_name, express) => {
  type Handler = (req: Request, res: Response) => void;

  /** `x-pool` names the zone. The handler leaves requests unanswered unless another is given. */
  async function serve(options: Partial<ReservedPoolsOptions> = {}, handler?: Handler) {
    const running: Response[] = [];
    const decisions: PoolDecision[] = [];
    const app = express();
    app.set("env", "test");
    app.use((req: Request, _res: Response, next: NextFunction) => {
      if (req.get("x-pool") === "device") contextOf(req).zone = "device";
      next();
    });
    const pools: ReservedPools = reservedPools({
      capacity: 2,
      pools: POOLS,
      onDecision: (decision) => decisions.push(decision),
      ...options,
    });
    app.use(pools, requireControls(["tiered-throttle-pools"]), (req: Request, res: Response) => {
      running.push(res);
      handler?.(req, res);
    });
    app.use((_error: unknown, _req: Request, res: Response, _next: NextFunction) => void res.status(500).end());
    const port = await listenOnPort(app);
    const standing = (name: string) => {
      const pool = pools.snapshot().pools.find((one) => one.name === name);
      return [pool?.running, pool?.waiting, pool?.ending];
    };
    return {
      running,
      decisions,
      pools,
      port,
      standing,
      call: (pool = "ordinary", method = "GET") => askPort(port, { method, headers: ["Host", "x", "x-pool", pool] }),
      /** Sends a request whose answer nobody waits for. */
      hang: (pool = "ordinary", method = "GET") => {
        const sent = request({ port, host: "127.0.0.1", method, headers: { "x-pool": pool }, agent: false });
        sent.on("error", () => undefined);
        sent.end();
        return sent;
      },
    };
  }

  it("refuses what has no slot with 503 and Retry-After, and does not run it", async () => {
    const { call, hang, running } = await serve({ capacity: 2, pools: { device: { reserved: 1 }, ordinary: {} } });
    hang();
    await expect.poll(() => running.length).toBe(1);
    expectRefusal(await call(), "pool-full");
    expect(running.length).toBe(1);
    hang("device");
    await expect.poll(() => running.length).toBe(2);
  });

  it("calls a borrowed slot back: its request gets 503, its owner is served in the same moment", async () => {
    const { call, hang, running, standing, decisions } = await serve();
    hang();
    await expect.poll(() => running.length).toBe(1);
    const borrower = call();
    await expect.poll(() => running.length).toBe(2);
    hang("device");
    await expect.poll(() => running.length).toBe(3);
    expectRefusal(await borrower, "slot-recalled");
    await expect.poll(() => standing("ordinary")).toEqual([1, 0, 0]);
    expect(standing("device")).toEqual([1, 0, 0]);
    expect(decisions.map(({ kind, code }) => code ?? kind)).toEqual([
      "permit",
      "permit",
      "permit",
      "tiered-throttle/slot-recalled",
    ]);
  });

  it("cuts a called-back answer that has begun: a part never looks like a whole", async () => {
    const { call, hang, running } = await serve({}, (_req, res) => {
      if (running.length === 2) res.write("part");
    });
    hang();
    await expect.poll(() => running.length).toBe(1);
    const borrower = call().then(
      () => "whole",
      () => "broken off",
    );
    await expect.poll(() => running.length).toBe(2);
    hang("device");
    expect(await borrower).toBe("broken off");
  });

  it("lets a complete answer arrive, however slowly it is read, when its slot is called back", async () => {
    const size = 16 * 1024 * 1024;
    const { hang, running, port, standing } = await serve({}, (_req, res) => {
      if (running.length === 2) res.end(Buffer.alloc(size));
    });
    hang();
    await expect.poll(() => running.length).toBe(1);
    const arrived = new Promise<number>((resolve, reject) => {
      get({ port, host: "127.0.0.1", agent: false }, (res) => {
        res.pause();
        let bytes = 0;
        res.on("data", (chunk: Buffer) => {
          bytes += chunk.length;
        });
        res.once("end", () => resolve(bytes));
        res.once("error", reject);
        void expect
          .poll(() => standing("ordinary"))
          .toEqual([1, 0, 1])
          .then(() => res.resume());
      });
    });
    await expect.poll(() => running[1]?.writableEnded).toBe(true);
    hang("device");
    expect(await arrived).toBe(size);
    await expect.poll(() => standing("ordinary")).toEqual([1, 0, 0]);
  });

  it("never lends to a request that must not be cut off", async () => {
    const { call, hang, running } = await serve();
    hang();
    await expect.poll(() => running.length).toBe(1);
    expectRefusal(await call("ordinary", "POST"), "pool-full");
  });

  it("lets wait, serves when a slot is free, and refuses after the deadline", async () => {
    const { call, hang, running, standing, pools } = await serve({
      capacity: 1,
      pools: { ordinary: { waiting: 2, waitMs: 150 } },
    });
    hang();
    await expect.poll(() => running.length).toBe(1);
    const patient = call();
    await expect.poll(() => standing("ordinary")).toEqual([1, 1, 0]);
    running[0]?.end();
    await expect.poll(() => running.length).toBe(2);
    const second = call();
    expectRefusal(await second, "wait-expired");
    running[1]?.json({});
    expect((await patient).status).toBe(200);
    await expect.poll(() => standing("ordinary")).toEqual([0, 0, 0]);
    expect(pools.snapshot().pools[0]).toMatchObject({ admitted: 2, refused: { "tiered-throttle/wait-expired": 1 } });
  });

  it("F13: a client that leaves while it waits leaves the line, and its handler never runs", async () => {
    const { hang, running, standing } = await serve({
      capacity: 1,
      pools: { ordinary: { waiting: 2, waitMs: 60_000 } },
    });
    hang();
    await expect.poll(() => running.length).toBe(1);
    const gone = hang();
    await expect.poll(() => standing("ordinary")).toEqual([1, 1, 0]);
    gone.destroy();
    await expect.poll(() => standing("ordinary")).toEqual([1, 0, 0]);
    running[0]?.end();
    await expect.poll(() => standing("ordinary")).toEqual([0, 0, 0]);
    expect(running.length).toBe(1);
  });

  it.each<[string, Handler]>([
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
    ["the answer breaks off", (_req, res) => void res.write("x", () => res.destroy())],
  ])("F13: the slot is free again when %s", async (_what, handler) => {
    const { call, standing } = await serve({ capacity: 1, pools: { ordinary: {} } }, handler);
    for (let times = 0; times < 3; times++) {
      const status = await call().then(
        (answer) => answer.status,
        () => 0,
      );
      expect(status).not.toBe(503);
      await expect.poll(() => standing("ordinary")).toEqual([0, 0, 0]);
    }
  });

  it.each([
    ["before the head", false],
    ["after the head", true],
  ])("F13: the slot is free again when the client leaves %s", async (_when, begun) => {
    const { hang, running, standing } = await serve({ capacity: 1, pools: { ordinary: {} } }, (_req, res) => {
      if (begun) res.write("x");
    });
    const sent = hang();
    await expect.poll(() => running.length).toBe(1);
    sent.destroy();
    await expect.poll(() => standing("ordinary")).toEqual([0, 0, 0]);
  });

  it("F13: work that outlives its answer keeps its slot until it ends", async () => {
    const ends: (() => void)[] = [];
    const { call, standing } = await serve({ capacity: 1, pools: { ordinary: {} } }, (req, res) => {
      ends.push(holdSlot(req));
      res.json({});
    });
    expect((await call()).status).toBe(200);
    expectRefusal(await call(), "pool-full");
    expect(standing("ordinary")).toEqual([1, 0, 0]);
    for (let times = 0; times < 2; times++) ends[0]?.();
    expect(standing("ordinary")).toEqual([0, 0, 0]);
    expect((await call()).status).toBe(200);
  });

  it("shares the rate out, and charges nothing for what found no slot (F14)", async () => {
    const pools = { device: { reserved: 1, reservedPerSecond: 1 }, ordinary: {} };
    const options = { capacity: 2, requestsPerSecond: 3, pools, now: () => 0 };
    const { call, hang, running, standing } = await serve(options, (_req, res) => {
      if (running.length > 1) res.json({});
    });
    hang();
    await expect.poll(() => running.length).toBe(1);
    for (let times = 0; times < 5; times++) expectRefusal(await call(), "pool-full");
    running[0]?.json({});
    await expect.poll(() => standing("ordinary")).toEqual([0, 0, 0]);
    expect((await call()).status).toBe(200);
    expectRefusal(await call(), "pool-rate-exceeded");
    expect((await call("device")).status).toBe(200);
    expectRefusal(await call("device"), "pool-rate-exceeded");
  });

  it("sheds the least urgent first, and says so", async () => {
    let pressed = 1;
    const shedder = {
      sheds: (rank: number, ranks: number) => ranks === 2 && rank < pressed,
      snapshot: () => ({ pressure: 0, delayMs: 0, heapShare: 0 }),
      close: () => undefined,
    };
    const { call } = await serve({ shedder }, (_req, res) => void res.json({}));
    expectRefusal(await call(), "load-shed");
    expect((await call("device")).status).toBe(200);
    pressed = 2;
    expectRefusal(await call("device"), "load-shed");
  });

  it.each<[string, Partial<ReservedPoolsOptions>]>([
    ["names no pool", { poolOf: () => "elsewhere" }],
    ["names what every object has", { poolOf: () => "constructor" }],
    [
      "throws",
      {
        poolOf: () => {
          throw new Error("broke");
        },
      },
    ],
  ])("a rule that %s lets nobody in", async (_what, options) => {
    const { call, running } = await serve(options);
    expectRefusal(await call(), "pool-unknown", 500);
    expect(running.length).toBe(0);
  });

  it("a listener that throws changes nothing", async () => {
    const onDecision = (): void => {
      throw new Error("broke");
    };
    const { call } = await serve({ onDecision }, (_req, res) => void res.json({}));
    expect((await call()).status).toBe(200);
  });

  it("two instances do not meet", async () => {
    const one = await serve({ capacity: 1, pools: { ordinary: {} } });
    const two = await serve({ capacity: 1, pools: { ordinary: {} } }, (_req, res) => void res.json({}));
    one.hang();
    await expect.poll(() => one.running.length).toBe(1);
    expect((await two.call()).status).toBe(200);
  });
});
