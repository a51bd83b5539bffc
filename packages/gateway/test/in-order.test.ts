import type { RoutePolicy } from "@wardline/policy-types";
import { EXPRESS, listen } from "@wardline-tools/test-kit";
import type { ErrorRequestHandler, RequestHandler } from "express";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { inOrder } from "../src/in-order.ts";
import { routeFinder } from "../src/routes.ts";

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

it("S5: a path of as many segments as a request may have is looked up as quickly as any", () => {
  const find = routeFinder([{ path: "/fhir" }, { path: "/payer/fhir" }] as RoutePolicy[]);
  const long = "/x".repeat(100_000);
  // At a look for each of its segments, each as long as what is before it, this would take minutes.
  for (let count = 0; count < 50; count++) {
    expect(find(`${long}${count}`)).toBeUndefined();
    expect(find(`/fhir${long}${count}`)?.path).toBe("/fhir");
  }
});

it("finds the longest route of whole segments, however many there are", () => {
  const segment = fc.constantFrom("a", "b", "fhir", "Fhir", "%61");
  const path = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join("/")}`);
  fc.assert(
    fc.property(
      fc.uniqueArray(path, { maxLength: 12 }),
      path,
      fc.constantFrom("", "/", "/x", "x", "?a=/b"),
      (paths, asked, rest) => {
        const routes = paths.map((one) => ({ path: one }) as RoutePolicy);
        const bare = `${asked}${rest}`.split("?", 1)[0] ?? "";
        const expected = [...routes]
          .sort((a, b) => b.path.length - a.path.length)
          .find((route) => bare === route.path || bare.startsWith(`${route.path}/`));
        expect(routeFinder(routes)(`${asked}${rest}`)).toBe(expected);
      },
    ),
  );
});
