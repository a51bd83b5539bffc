import { EXPRESS, listen } from "@wardline-tools/test-kit";
import type { ErrorRequestHandler, RequestHandler } from "express";
import { describe, expect, it } from "vitest";
import { inOrder } from "../src/express.ts";

const [, express] = EXPRESS[0];

describe("stages in order", () => {
  async function walk(...stages: readonly RequestHandler[]): Promise<string[]> {
    const passed: string[] = [];
    const app = express();
    const told = stages.map(
      (stage, at): RequestHandler =>
        (req, res, next) => {
          passed.push(`stage ${at + 1}`);
          return stage(req, res, next);
        },
    );
    app.use(inOrder(told));
    app.use((_req, res) => {
      passed.push("after");
      res.end();
    });
    app.use(((error: unknown, _req, res, _next) => {
      passed.push(`error ${error instanceof Error ? error.message : String(error)}`);
      res.end();
    }) as ErrorRequestHandler);
    await fetch(await listen(app));
    return passed;
  }
  const on: RequestHandler = (_req, _res, next) => next();
  const later: RequestHandler = (_req, _res, next) => void setImmediate(next);
  const twice: RequestHandler = (_req, _res, next) => {
    next();
    next();
  };
  const thrower: RequestHandler = (_req, _res, next) => {
    next();
    throw new Error("too late");
  };

  it.each<[string, readonly RequestHandler[], readonly string[]]>([
    ["nothing", [], ["after"]],
    ["all go on", [on, on], ["stage 1", "stage 2", "after"]],
    ["one goes on later", [(_req, _res, next) => void setImmediate(next), on], ["stage 1", "stage 2", "after"]],
    ["one answers", [on, (_req, res) => void res.end(), on], ["stage 1", "stage 2"]],
    ["one goes on with an error", [(_req, _res, next) => next(new Error("told")), on], ["stage 1", "error told"]],
    [
      "one throws",
      [
        () => {
          throw new Error("thrown");
        },
        on,
      ],
      ["stage 1", "error thrown"],
    ],
    [
      "one rejects",
      [on, (() => Promise.reject(new Error("rejected"))) as unknown as RequestHandler, on],
      ["stage 1", "stage 2", "error rejected"],
    ],
    ["one goes on twice", [twice, later, on], ["stage 1", "stage 2", "stage 3", "after"]],
    ["one throws after it has gone on", [thrower, on], ["stage 1", "stage 2", "after", "error too late"]],
    [
      "one says a word that Express would skip by",
      [(_req, _res, next) => next("route"), on],
      ["stage 1", "error a stage failed"],
    ],
    ["another such word", [(_req, _res, next) => next("router"), on], ["stage 1", "error a stage failed"]],
    [
      "one rejects with nothing",
      [(() => Promise.reject(undefined as unknown as Error)) as unknown as RequestHandler],
      ["stage 1", "error a stage failed"],
    ],
  ])("F11: %s", async (_what, stages, expected) => {
    expect(await walk(...stages)).toEqual(expected);
  });
});
