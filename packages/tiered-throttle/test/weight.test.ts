import { EXPRESS, listen } from "@wardline-tools/test-kit";
import { describe, expect, it } from "vitest";
import { tieredThrottle } from "../src/index.ts";

describe.each(EXPRESS)("weightOf on %s", (_name, express) => {
  it("a caller who is slowed down spends its windows faster; others do not", async () => {
    const app = express();
    app.use(
      tieredThrottle({
        windows: [{ name: "app", limit: 10, windowSeconds: 60, by: "address" }],
        addressOf: (req) => String(req.headers["x-from"]),
        weightOf: (req) => (req.headers["x-from"] === "192.0.2.1" ? 5 : 1),
      }),
    );
    app.get("/", (_req, res) => void res.json({}));
    const origin = await listen(app);
    const ask = async (from: string): Promise<number> => (await fetch(origin, { headers: { "x-from": from } })).status;
    const statuses = async (from: string, times: number): Promise<number[]> => {
      const seen: number[] = [];
      for (let turn = 0; turn < times; turn += 1) seen.push(await ask(from));
      return seen;
    };
    expect(await statuses("192.0.2.1", 3)).toEqual([200, 200, 429]);
    expect(new Set(await statuses("192.0.2.2", 10))).toEqual(new Set([200]));
  });
});
