import { ask, EXPRESS, listen } from "@wardline-tools/test-kit";
import { describe, expect, it } from "vitest";
import { asFailure, closing } from "../src/express.ts";

/** What Express takes for going on, or for passing over what follows. */
const NO_ERRORS: readonly unknown[] = [undefined, null, false, 0, "", "route", "router"];

describe.each(EXPRESS)("S12: whatever a control throws on %s", (_name, express) => {
  async function statusBehind(control: () => unknown): Promise<number> {
    const app = express();
    app.use(closing(control));
    app.get("/", (_req, res) => void res.send("reached"));
    app.use((_error: unknown, _req: unknown, res: { sendStatus(status: number): unknown }, _next: unknown) => {
      res.sendStatus(500);
    });
    return (await ask(await listen(app))).status;
  }

  it.each(NO_ERRORS)("%j ends the request", async (thrown) => {
    const throws = (): never => {
      throw thrown;
    };
    expect(await statusBehind(throws)).toBe(500);
    expect(await statusBehind(() => Promise.resolve().then(throws))).toBe(500);
  });

  it("and what throws nothing goes on as before", async () => {
    const app = express();
    app.use(closing((_req, _res, next) => next()));
    app.use(
      closing(async (_req, _res, next) => {
        await Promise.resolve();
        next();
      }),
    );
    app.get("/", (_req, res) => void res.send("reached"));
    expect((await ask(await listen(app))).text).toBe("reached");
  });
});

it("a closed middleware keeps its name, and three parameters: with four Express takes it for an error handler", () => {
  const closed = closing(function someControl() {
    return undefined;
  });
  expect([closed.name, closed.length]).toEqual(["someControl", 3]);
});

it("a failure is the error that was thrown, or one that names what was", () => {
  const error = new RangeError("one");
  expect(asFailure(error)).toBe(error);
  for (const thrown of NO_ERRORS) expect(asFailure(thrown)).toMatchObject({ cause: thrown });
});
