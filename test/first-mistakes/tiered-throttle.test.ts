import {
  type DoorThrottleOptions,
  doorThrottle,
  type TieredThrottleOptions,
  tieredThrottle,
} from "@wardline/tiered-throttle";
import { ask } from "@wardline-tools/test-kit";
import { describe, expect, it } from "vitest";
import { mistakesAtStart, onExpress, open, warningsOf } from "./support.ts";

const start = (options: unknown) => () => tieredThrottle(options as TieredThrottleOptions);
const atDoor = (options: unknown) => () => doorThrottle(options as DoorThrottleOptions);
const window = { name: "apps", limit: 100, windowSeconds: 60, by: "client" } as const;
const redis = (): Promise<never> => Promise.reject(new Error("connect ECONNREFUSED"));

describe("what stops the start, and what to write instead", () => {
  mistakesAtStart({
    "no options": [start(undefined), "give an object; known options are"],
    "no limit": [start({}), "windows: give at least one window"],
    milliseconds: [
      start({ windows: [{ name: "apps", limit: 1, windowMs: 60_000, by: "client" }] }),
      "windows[0].windowSeconds: write whole seconds above zero",
    ],
    "an owner of another library": [start({ windows: [{ ...window, by: "ip" }] }), "write one of client, user"],
    "F6: open when Redis is down": [
      start({ windows: [window], redis, onStoreFailure: "open" }),
      "never opened because counters are down: write local or closed",
    ],
    "a client in place of its function": [start({ windows: [window], redis: {} }), "redis: give a function"],
    "the tier for all first": [
      start({
        tiers: [
          { name: "all", windows: [window] },
          { name: "partners", when: { zone: "partner" }, windows: [{ ...window, name: "p" }] },
        ],
      }),
      "tiers[0]: a tier without `when` is for every request: write it last",
    ],
    "no tier for the rest": [
      start({ tiers: [{ name: "partners", when: { zone: "partner" }, windows: [window] }] }),
      "let the last tier be for every request",
    ],
    "a door without a window": [atDoor({ limit: 100 }), "windowSeconds: write whole seconds above zero"],
    "a misspelled option of the door": [atDoor({ limits: 1, windowSeconds: 1 }), "did you mean `limit`?"],
  });
});

onExpress((make) => {
  it("F12: a Redis that does not answer is told once, with what decides until then", async () => {
    const app = make();
    app.use(tieredThrottle({ windows: [{ ...window, by: "address" }], redis, expectedReplicas: 2 }));
    app.use((_req, res) => void res.end("served"));
    const origin = await open(app);
    const said = await warningsOf(async () => {
      for (let time = 0; time < 3; time++) expect((await ask(origin)).text).toBe("served");
    });
    expect(said).toEqual([
      expect.stringMatching(/^WARDLINE_COUNTERS_DOWN: .*check Redis; until then `onStoreFailure` decides/),
    ]);
  });

  it.each([
    ["the door", doorThrottle({ limit: 1, windowSeconds: 60 })],
    ["a tier, of callers whom nobody has authenticated", tieredThrottle({ windows: [{ ...window, limit: 1 }] })],
    ["a tier by address", tieredThrottle({ windows: [{ ...window, limit: 1, by: "address" }] })],
  ])("behind a load balancer that nobody named, all clients are one to %s: told once", async (_which, throttle) => {
    const app = make();
    app.use(throttle, (_req, res) => void res.end("served"));
    const origin = await open(app);
    const said = await warningsOf(async () => {
      for (const [client, status] of [
        ["203.0.113.9", 200],
        ["203.0.113.10", 429],
      ] as const) {
        expect((await ask(origin, { headers: { "x-forwarded-for": client } })).status).toBe(status);
      }
    });
    expect(said).toEqual([
      expect.stringMatching(/^WARDLINE_PROXY_UNKNOWN: .*mount perimeter\(\) with `trustedProxies`/),
    ]);
  });
});
