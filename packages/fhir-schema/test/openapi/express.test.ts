import { contextOf } from "@wardline/policy-types/express";
import { type Answer, ask, EXPRESS, listen, type Question } from "@wardline-tools/test-kit";
import type { Request, Response } from "express";
import { describe, expect, it, vi } from "vitest";
import { openApiRoutes } from "../../src/express/open-api.ts";
import type { OpenApiOptions, OpenApiReport } from "../../src/openapi/options.ts";
import { CLAIMS } from "./support/claims.ts";

interface Refusal {
  readonly title: string;
  readonly status: number;
  readonly code: string;
}

describe.each(EXPRESS)("openApiRoutes() on %s", (_name, express) => {
  async function serve(
    options: OpenApiOptions = {},
    handler: (req: Request, res: Response) => void = (_req, res) => void res.json({ id: "c1", amount: 1 }),
    document: object = CLAIMS,
  ): Promise<{
    to: (path: string, question?: Question) => Promise<Answer>;
    ran: () => number;
    because: () => unknown;
  }> {
    const app = express();
    const seen = vi.fn();
    const decisions: unknown[] = [];
    app.use((req, _res, next) => {
      decisions.push(contextOf(req).decisions);
      next();
    });
    app.use("/api", openApiRoutes(document, options), (req: Request, res: Response) => {
      seen();
      handler(req, res);
    });
    const origin = await listen(app);
    return {
      to: (path, question) => ask(`${origin}/api`, { target: `/api${path}`, ...question }),
      ran: () => seen.mock.calls.length,
      because: () => decisions[0],
    };
  }

  const post = (body: unknown, headers: Record<string, string> = {}): Question => ({
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  const BAD = "operation-parameters";

  it.each<readonly [what: string, path: string, question: Question]>([
    ["a declared path", "/claims/c1", {}],
    ["a literal before a parameter", "/claims/summary", {}],
    ["a HEAD of a declared GET", "/claims/c1", { method: "HEAD" }],
    ["a parameter between texts", "/reports/r-12.json", {}],
    ["query parameters as declared", "/claims?status=open&status=closed&limit=10&since=2026-01-01&near=3,4", {}],
    ["an exploded object", "/claims?from=1&to=2", {}],
    ["a parameter that may be empty", "/claims?flag=", {}],
    ["a header as declared", "/claims", { headers: { "X-Tenant": "t-1" } }],
    ["a cookie as declared", "/claims", { headers: { Cookie: "a=b; session=0123abcd" } }],
    ["headers and cookies that are not declared", "/claims", { headers: { "X-Other": "x", Cookie: "z=1" } }],
    ["a body as declared", "/claims", post({ amount: 1, lines: [{ code: "a", note: null }] })],
    ["a body that contains itself", "/claims", post({ amount: 1, parent: { amount: 2, parent: { amount: 3 } } })],
    ["an optional body that is absent", "/claims/c1", { method: "PATCH" }],
    [
      "a body of a declared range",
      "/claims/c1",
      { method: "PATCH", headers: { "Content-Type": "text/csv" }, body: "a,b" },
    ],
    ["an encoded character that needs it", "/claims/c%20d", {}],
  ])("lets %s pass", async (_what, path, question) => {
    const { to, ran } = await serve();
    const answer = await to(path, question);
    expect([answer.status, ran()]).toEqual([200, 1]);
  });

  type Refused = readonly [what: string, path: string, question: Question, status: number, code: string];
  it.each<Refused>([
    ["an undeclared path", "/claim", {}, 404, "operation-unknown"],
    ["a path in other letters", "/Claims/c1", {}, 404, "operation-unknown"],
    ["a trailing slash", "/claims/", {}, 404, "operation-unknown"],
    ["a path below", "/claims/c1/x", {}, 404, "operation-unknown"],
    ["an undeclared method", "/claims/c1", { method: "DELETE" }, 405, "operation-method"],
    ["a method in small letters", "/claims/summary", { method: "PURGE" }, 405, "operation-method"],
    ["an encoded slash (S6)", "/claims/c1%2Fx", {}, 400, BAD],
    ["an encoded backslash (S6)", "/claims/c1%5cx", {}, 400, BAD],
    ["a dot segment (S6)", "/claims/../claims/c1", {}, 400, BAD],
    ["an encoded dot segment (S6)", "/claims/%2e%2e/c1", {}, 400, BAD],
    ["an empty segment (S6)", "//claims/c1", {}, 400, BAD],
    ["a needless encoding (S6)", "/%63laims/c1", {}, 400, BAD],
    ["a double encoding (S6)", "/claims/%2563", {}, 400, BAD],
    ["a path parameter of old (S6)", "/claims/c1;x=1", {}, 400, BAD],
    ["a NUL (S6)", "/claims/c1%00", {}, 400, BAD],
    ["text that is not UTF-8", "/claims/%ff", {}, 400, BAD],
    ["a path parameter not as declared", "/claims/C1!", {}, 400, BAD],
    ["an undeclared query parameter", "/claims?s3cret=1", {}, 400, BAD],
    ["a query where none is declared", "/claims/c1?x", {}, 400, BAD],
    ["a query parameter in other letters", "/claims?Limit=1", {}, 400, BAD],
    ["a query parameter with brackets", "/claims?status[]=open", {}, 400, BAD],
    ["a number that is text", "/claims?limit=s3cret", {}, 400, BAD],
    ["a number with a sign", "/claims?limit=%2B1", {}, 400, BAD],
    ["a number in hexadecimal", "/claims?limit=0x1", {}, 400, BAD],
    ["a number out of range", "/claims?limit=101", {}, 400, BAD],
    ["a parameter sent twice (A12)", "/claims?limit=1&limit=2", {}, 400, BAD],
    ["a parameter sent twice, once encoded (A12)", "/claims?limit=1&%6cimit=2", {}, 400, BAD],
    ["an item not as declared", "/claims?status=open&status=s3cret", {}, 400, BAD],
    ["a comma that may or may not separate (A12)", "/claims?near=3%2C4", {}, 400, BAD],
    ["a list that is too long", "/claims?near=1,2,3", {}, 400, BAD],
    ["an empty parameter that may not be", "/claims?limit=", {}, 400, BAD],
    ["broken percent-encoding", "/claims?since=%zz", {}, 400, BAD],
    ["a broken name", "/claims?%zz=1", {}, 400, BAD],
    ["a property of an object not as declared", "/claims?from=x", {}, 400, BAD],
    ["an object's property sent twice", "/claims?from=1&from=2", {}, 400, BAD],
    ["a header not as declared", "/claims", { headers: { "X-Tenant": "s3cret!" } }, 400, BAD],
    ["a header sent twice", "/claims", { headers: ["X-Tenant", "t-1", "x-tenant", "t-2", "Host", "x"] }, 400, BAD],
    ["a cookie not as declared", "/claims", { headers: { Cookie: "session=s3cret" } }, 400, BAD],
    ["a cookie sent twice", "/claims", { headers: { Cookie: "session=0123abcd; session=0123abcd" } }, 400, BAD],
    ["a missing required parameter", "/audit", {}, 400, BAD],
    [
      "a body where none is declared",
      "/claims",
      { ...post({}, { "Content-Length": "2" }), method: "GET" },
      400,
      "operation-body",
    ],
    ["a required body that is missing", "/claims", { method: "POST" }, 400, "operation-body"],
    [
      "a required body that is empty",
      "/claims",
      { ...post(""), headers: { "Content-Type": "application/json", "Transfer-Encoding": "chunked" } },
      400,
      "operation-body",
    ],
    [
      "another media type",
      "/claims",
      post({ amount: 1 }, { "Content-Type": "application/xml" }),
      415,
      "operation-media-type",
    ],
    ["no media type", "/claims", { method: "POST", body: "{}" }, 415, "operation-media-type"],
    [
      "two media types",
      "/claims/c1",
      { method: "PATCH", headers: { "Content-Type": "text/csv, application/json" }, body: "{}" },
      415,
      "operation-media-type",
    ],
    ["a body without a required name", "/claims", post({}), 400, "operation-body"],
    ["a body with an undeclared name", "/claims", post({ amount: 1, s3cret: 1 }), 400, "operation-body"],
    ["a body of another type", "/claims", post({ amount: "s3cret" }), 400, "operation-body"],
    ["a body with a property that is only read", "/claims", post({ amount: 1, id: "s3cret" }), 400, "operation-body"],
    [
      "a body with equal items",
      "/claims",
      post({
        amount: 1,
        lines: [
          { code: "a", note: null },
          { note: null, code: "a" },
        ],
      }),
      400,
      "operation-body",
    ],
    ["a limit that is excluded", "/claims", post({ amount: 0 }), 400, "operation-body"],
    ["null where it is not declared", "/claims", post({ amount: null }), 400, "operation-body"],
    [
      "a fault in what it contains of itself",
      "/claims",
      post({ amount: 1, parent: { amount: 2, parent: {} } }),
      400,
      "operation-body",
    ],
  ])("refuses %s, and the handler does not run", async (_what, path, question, status, code) => {
    const { to, ran } = await serve();
    const answer = await to(path, question);
    expect([answer.status, answer.headers["content-type"], ran()]).toEqual([
      status,
      "application/problem+json; charset=utf-8",
      0,
    ]);
    expect((JSON.parse(answer.text) as Refusal).code).toBe(`fhir-schema/${code}`);
    expect(answer.text + JSON.stringify(answer.headers)).not.toContain("s3cret");
  });

  it.each([
    ["malformed JSON", post('{"amount":1'), 400, "policy-types/body-malformed"],
    ["a repeated name", post('{"amount":1,"amount":2}'), 400, "policy-types/body-malformed"],
    ["a body that is too long", post({ amount: 1, note: "x".repeat(2000) }), 413, "policy-types/body-too-long"],
  ])("refuses %s before any schema is asked", async (_what, question, status, code) => {
    const { to, ran } = await serve({ requestBodyBytes: 1000 });
    const answer = await to("/claims", question);
    expect([answer.status, (JSON.parse(answer.text) as Refusal).code, ran()]).toEqual([status, code, 0]);
  });

  it("names the declared methods and media types", async () => {
    const { to } = await serve();
    expect((await to("/claims/c1", { method: "DELETE" })).headers.allow).toBe("GET, PATCH, HEAD");
    expect((await to("/claims", post({}, { "Content-Type": "text/plain" }))).headers.accept).toBe("application/json");
  });

  it("records the decision in the document's words", async () => {
    const { to, because } = await serve();
    await to("/claims?limit=s3cret");
    expect(because()).toEqual([
      { control: "fhir-schema", kind: "deny", because: ["value limit"], code: "fhir-schema/operation-parameters" },
    ]);
  });

  it("gives the handler the body it judged", async () => {
    const { to } = await serve({}, (req, res) => void res.json(req.body));
    expect(JSON.parse((await to("/claims", post({ amount: 1 }))).text)).toEqual({ amount: 1 });
  });

  describe("answers", () => {
    type Case = readonly [what: string, path: string, handler: (res: Response) => void];
    const GOOD: readonly Case[] = [
      ["as declared", "/claims/c1", (res) => void res.json({ id: "c1", amount: 2 })],
      ["of a declared range of statuses", "/claims/c1", (res) => void res.status(404).json({ reason: "x" })],
      ["of another media type as declared", "/reports/r-1.json", (res) => void res.type("text/csv").send("a,b")],
      ["without a body", "/audit?day=2026-01-01", (res) => void res.status(204).end()],
    ];
    const WRONG: readonly Case[] = [
      [
        "with a name that is not declared",
        "/claims/c1",
        (res) => void res.json({ id: "c1", amount: 2, s3cret: "s3cret" }),
      ],
      ["with what is only written", "/claims/c1", (res) => void res.json({ id: "c1", amount: 2, pin: "s3cret" })],
      ["without a required name", "/claims/c1", (res) => void res.json({ amount: 2 })],
      ["with a status that is not declared", "/claims/c1", (res) => void res.status(500).json({ stack: "s3cret" })],
      ["of another media type", "/claims/c1", (res) => void res.type("text/html").send("<p>s3cret")],
      ["without the declared body", "/claims/c1", (res) => void res.status(200).end()],
    ];

    it.each(GOOD)("%s pass", async (_what, path, handler) => {
      const onReport = vi.fn();
      const { to } = await serve({ responses: "refuse", onReport }, (_req, res) => handler(res));
      expect((await to(path)).status).toBeLessThan(500);
      expect(onReport).not.toHaveBeenCalled();
    });

    it.each(WRONG)("%s are refused, and nothing of them is sent", async (_what, path, handler) => {
      const onReport = vi.fn<(report: OpenApiReport) => void>();
      const { to } = await serve({ responses: "refuse", onReport }, (_req, res) => handler(res));
      const answer = await to(path);
      expect([answer.status, (JSON.parse(answer.text) as Refusal).code]).toEqual([
        502,
        "fhir-schema/operation-response",
      ]);
      expect(answer.text + JSON.stringify(onReport.mock.calls)).not.toContain("s3cret");
      expect(onReport).toHaveBeenCalledOnce();
    });

    it.each(WRONG)("%s are reported and sent", async (_what, path, handler) => {
      const reports: OpenApiReport[] = [];
      const { to } = await serve(
        { responses: "report", onReport: (report) => void reports.push(report) },
        (_req, res) => handler(res),
      );
      expect((await to(path)).status).not.toBe(502);
      expect(reports.map(({ operation }) => operation)).toEqual(["GET /claims/{claim}"]);
      expect(reports[0]?.requestId).toMatch(/^[\w-]{36}$/);
    });

    it("are sent though the listener fails", async () => {
      const onReport = (): void => {
        throw new Error("down");
      };
      const { to } = await serve({ responses: "report", onReport }, (_req, res) => void res.json({}));
      expect((await to("/claims/c1")).status).toBe(200);
    });

    it("are not looked at unless asked", async () => {
      const { to } = await serve({}, (_req, res) => void res.json({ anything: 1 }));
      expect((await to("/claims/c1")).status).toBe(200);
    });

    it("to HEAD pass without a body", async () => {
      const { to } = await serve({ responses: "refuse" }, (_req, res) => void res.json({ id: "c1", amount: 2 }));
      const answer = await to("/claims/c1", { method: "HEAD" });
      expect([answer.status, answer.text]).toEqual([200, ""]);
    });
  });
});
