import { sendProblem } from "@wardline/policy-types/express";
import { type Answer, askPort, EXPRESS, listenOnPort } from "@wardline-tools/test-kit";
import type { Request, Response } from "express";
import { describe, expect, it, vi } from "vitest";
import { doorThrottle } from "../src/index.ts";

describe.each(EXPRESS)("S5: failed authentications at the door on %s", (_name, express) => {
  async function serve(): Promise<{
    call: (address: string, status: number) => Promise<Answer>;
    wait: (s: number) => void;
    crypto: () => number;
  }> {
    let now = 1_000_000;
    const crypto = vi.fn();
    const app = express();
    app.use(
      doorThrottle({
        limit: 100,
        windowSeconds: 10,
        failures: { limit: 2, windowSeconds: 60 },
        now: () => now,
        addressOf: (req) => String(req.headers["x-address"]),
      }),
    );
    app.use((req: Request, res: Response) => {
      crypto();
      const status = Number(req.get("x-status"));
      if (status === 200) res.json({});
      else sendProblem(res, { code: "t/no", status, issue: "login", detail: "No." });
    });
    const port = await listenOnPort(app);
    return {
      call: (address, status) =>
        askPort(port, { headers: ["Host", "x", "X-Address", address, "X-Status", String(status)] }),
      wait: (seconds) => {
        now += seconds * 1000;
      },
      crypto: () => crypto.mock.calls.length,
    };
  }

  it("an address that failed too often is refused before any crypto, until its window ends", async () => {
    const { call, wait, crypto } = await serve();
    for (const address of ["2001:db8::1", "2001:db8::2"]) expect((await call(address, 401)).status).toBe(401);
    await expect.poll(async () => (await call("2001:db8:0:ff::3", 200)).status).toBe(429);
    const ran = crypto();
    const refused = await call("2001:db8::1", 200);
    expect([refused.status, refused.code]).toEqual([429, "tiered-throttle/authentication-failures"]);
    expect([refused.headers["retry-after"], refused.headers["ratelimit"]]).toEqual(["60", undefined]);
    expect(crypto()).toBe(ran);
    // Another subscriber is not the victim.
    expect((await call("2001:db8:1::1", 200)).status).toBe(200);
    wait(60);
    expect((await call("2001:db8::1", 200)).status).toBe(200);
  });

  it("what succeeds, and what is refused for another reason, is no failure", async () => {
    const { call } = await serve();
    for (const status of [200, 403, 404, 429, 200]) expect((await call("192.0.2.1", status)).status).toBe(status);
    expect((await call("192.0.2.1", 200)).status).toBe(200);
  });
});
