import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { connect } from "node:net";
import { type Answer, ask, EXPRESS, listen } from "@wardline-tools/test-kit";
import { describe, expect, it } from "vitest";
import {
  addTransform,
  afterAnswer,
  contextOf,
  grantOf,
  hasPermitted,
  isStanding,
  KEEP,
  readBody,
  recordDecision,
  requestTarget,
  requireControls,
  sendProblem,
} from "../src/express.ts";
import {
  type AccessRecord,
  type ControlDecision,
  type ControlName,
  type Problem,
  TRUST_ZONES,
  ZONE_PRESETS,
} from "../src/index.ts";

const REFUSED: Problem = {
  code: "test/refused",
  status: 403,
  issue: "forbidden",
  detail: "This is refused.",
  headers: { "WWW-Authenticate": ['Bearer error="insufficient_scope"', 'DPoP algs="ES256"'] },
};

describe.each(EXPRESS)("requireControls on %s", (_name, express) => {
  /** Mounts one decision per control, then the last stage, then a route that notes that it ran. */
  async function serve(
    decisions: readonly (readonly [ControlName, "permit" | "deny"])[],
    demanded: Parameters<typeof requireControls>[0],
    order: "before" | "after" = "before",
  ): Promise<{ answer: Answer; ran: boolean }> {
    const app = express();
    let ran = false;
    const controls = (req: IncomingMessage, _res: unknown, next: () => void): void => {
      for (const [control, kind] of decisions) recordDecision(req, { control, kind, because: ["test"] });
      next();
    };
    if (order === "before") app.use(controls);
    app.use(requireControls(demanded));
    if (order === "after") app.use(controls);
    app.get("/", (_req, res) => {
      ran = true;
      res.json({});
    });
    return { answer: await ask(await listen(app)), ran };
  }

  it.each(TRUST_ZONES)("lets a request pass that has every permit of the %s zone", async (zone) => {
    const { requiredControls } = ZONE_PRESETS[zone];
    const { answer, ran } = await serve(
      requiredControls.map((control) => [control, "permit"] as const),
      zone,
    );
    expect([answer.status, ran]).toEqual([200, true]);
  });

  it.each(
    TRUST_ZONES.flatMap((zone) => ZONE_PRESETS[zone].requiredControls.map((control) => [zone, control] as const)),
  )("refuses a request of the %s zone that skipped %s", async (zone, skipped) => {
    const others = ZONE_PRESETS[zone].requiredControls.filter((control) => control !== skipped);
    const { answer, ran } = await serve(
      others.map((control) => [control, "permit"] as const),
      zone,
    );
    expect([answer.status, ran]).toEqual([500, false]);
    expect(answer.text).toContain("policy-types/control-skipped");
  });

  it("refuses when the controls are mounted after it", async () => {
    const permits = ZONE_PRESETS.patient.requiredControls.map((control) => [control, "permit"] as const);
    const { answer, ran } = await serve(permits, "patient", "after");
    expect([answer.status, ran]).toEqual([500, false]);
  });

  it("refuses when a control permitted and denied: one deny is enough", async () => {
    const both = [
      ["smart-auth", "permit"],
      ["smart-auth", "deny"],
    ] as const;
    expect((await serve(both, ["smart-auth"])).ran).toBe(false);
  });

  it("A5: a permit of another name is no permit", async () => {
    expect((await serve([["Smart-Auth", "permit"]], ["smart-auth"])).ran).toBe(false);
  });
});

it.each([[[]], ["nobody" as never], [undefined as never]])("requireControls(%j) does not start", (demanded) => {
  expect(() => requireControls(demanded)).toThrow(/needs a zone/);
});

describe.each(EXPRESS)("sendProblem on %s", (_name, express) => {
  async function refuse(media: "fhir" | "json", headers: Record<string, string> = {}): Promise<Answer> {
    const app = express();
    app.use((req, res) => {
      contextOf(req).media = media;
      res.set({ ETag: 'W/"9"', "X-Secret": "Chalmers", "Retry-After": "1" });
      sendProblem(res, REFUSED);
    });
    return ask(await listen(app), { headers });
  }

  it("is an OperationOutcome on FHIR routes, with the problem's headers and the request id", async () => {
    const answer = await refuse("fhir", { "x-request-id": "abc-1" });
    expect(answer.status).toBe(403);
    expect(answer.headers["content-type"]).toBe("application/fhir+json; charset=utf-8");
    expect(answer.headers["www-authenticate"]).toBe('Bearer error="insufficient_scope", DPoP algs="ES256"');
    expect(answer.headers["x-request-id"]).toBe("abc-1");
    expect(answer.headers["cache-control"]).toBe("no-store");
    expect(answer.headers["retry-after"]).toBe("1");
    expect(JSON.parse(answer.text)).toEqual({
      resourceType: "OperationOutcome",
      issue: [
        {
          severity: "error",
          code: "forbidden",
          details: {
            coding: [{ system: "urn:wardline:error-code", code: "test/refused" }],
            text: "This is refused.",
          },
        },
      ],
    });
  });

  it("renders several findings as several issues under one code", async () => {
    const app = express();
    const issues = [
      { severity: "error", issue: "required", detail: "An element is missing.", expression: "Patient.name[0]" },
      { severity: "warning", issue: "value", detail: "A value is odd." },
    ] as const;
    app.use((_req, res) => sendProblem(res, { ...REFUSED, issues }));
    const { issue } = JSON.parse((await ask(await listen(app))).text) as { issue: object[] };
    expect(issue).toMatchObject([
      {
        severity: "error",
        code: "required",
        details: { text: "An element is missing." },
        expression: ["Patient.name[0]"],
      },
      { severity: "warning", code: "value", details: { coding: [{ code: "test/refused" }] } },
    ]);
  });

  it("is problem details elsewhere", async () => {
    const answer = await refuse("json");
    expect(answer.headers["content-type"]).toBe("application/problem+json; charset=utf-8");
    expect(JSON.parse(answer.text)).toEqual({
      type: "about:blank",
      title: "This is refused.",
      status: 403,
      code: "test/refused",
    });
  });

  it("problem details carry several findings as an extension member", async () => {
    const app = express();
    const issues = [{ severity: "error", issue: "value", detail: "A value is odd.", expression: "page" }] as const;
    app.use((req, res) => {
      contextOf(req).media = "json";
      sendProblem(res, { ...REFUSED, issues });
    });
    const { text } = await ask(await listen(app));
    expect(JSON.parse(text)).toMatchObject({ issues: [{ detail: "A value is odd.", expression: "page" }] });
  });

  it("S15: nothing the handler had prepared goes with it", async () => {
    const answer = await refuse("fhir");
    expect([answer.headers["etag"], answer.headers["x-secret"]]).toEqual([undefined, undefined]);
  });

  it("sends one refusal only: the first", async () => {
    const app = express();
    app.use((_req, res) => {
      sendProblem(res, REFUSED);
      sendProblem(res, { ...REFUSED, status: 500, code: "test/second" });
      res.end("more");
    });
    const answer = await ask(await listen(app));
    expect(answer.status).toBe(403);
    expect(JSON.parse(answer.text)).toMatchObject({
      issue: [{ details: { coding: [{ code: "test/refused" }] } }],
    });
  });
});

describe("request context", () => {
  async function contextFor(headers: Record<string, string>): Promise<ReturnType<typeof contextOf>> {
    let context: ReturnType<typeof contextOf> | undefined;
    const url = await listen((req: IncomingMessage, res: ServerResponse) => {
      context = contextOf(req);
      res.end();
    });
    await ask(`${url}/a?b=c`, { headers });
    if (context === undefined) throw new Error("no request arrived");
    return context;
  }

  it.each([
    ["x".repeat(129), false],
    ["a b", false],
    ["a/b", false],
    ["", false],
    ["0af7651916cd43dd8448eb211c80319c", true],
    ["a.b:c_d-E", true],
  ])("X-Request-Id %j is kept: %s", async (id, kept) => {
    const context = await contextFor({ "x-request-id": id });
    expect(context.requestId === id).toBe(kept);
    expect(context.requestId).toMatch(/^[A-Za-z0-9._:-]{1,128}$/);
  });

  const TRACE = "0af7651916cd43dd8448eb211c80319c";
  it.each([
    [`00-${TRACE}-b7ad6b7169203331-01`, true],
    [`ff-${TRACE}-b7ad6b7169203331-01`, false],
    [`00-${"0".repeat(32)}-b7ad6b7169203331-01`, false],
    [`00-${TRACE}-${"0".repeat(16)}-01`, false],
    [`00-${TRACE.toUpperCase()}-b7ad6b7169203331-01`, false],
  ])("traceparent %j is kept: %s", async (traceparent, kept) => {
    expect((await contextFor({ traceparent })).traceparent).toBe(kept ? traceparent : undefined);
  });

  it("knows the peer, the method and the target as received", async () => {
    const context = await contextFor({});
    expect(context).toMatchObject({
      method: "GET",
      originalUrl: "/a?b=c",
      transport: { encrypted: false, peerAddress: "127.0.0.1" },
    });
  });

  it("asks a connection for its peer once, and each connection for its own", async () => {
    const seen: ReturnType<typeof contextOf>["transport"][] = [];
    const url = await listen((req: IncomingMessage, res: ServerResponse) => {
      seen.push(contextOf(req).transport);
      res.end();
    });
    const two = "GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(2);
    for (let count = 0; count < 2; count++) {
      const client = connect(Number(new URL(url).port), "127.0.0.1")
        .end(two)
        .resume();
      await once(client, "close");
    }
    const [first, again, other] = seen;
    expect(again).toBe(first);
    expect(other).not.toBe(first);
    expect(seen).toHaveLength(4);
  });

  it("asks again where the address was not to be had", () => {
    const socket: { remoteAddress?: string } = {};
    const ask = (): unknown => contextOf({ headers: {}, socket } as IncomingMessage).transport.peerAddress;
    expect(ask()).toBeUndefined();
    socket.remoteAddress = "::ffff:192.0.2.1";
    expect(ask()).toBe("192.0.2.1");
  });

  it("grantOf throws a wiring error when smart-auth did not run", () => {
    const req = { headers: {}, socket: {} } as IncomingMessage;
    expect(() => grantOf(req)).toThrow(/mount smartAuth\(\)/);
    expect(hasPermitted(req, "smart-auth")).toBe(false);
  });
});

describe.each(EXPRESS)("requestTarget on %s", (_name, express) => {
  async function targetOf(path: string, change?: (url: string) => string): Promise<unknown> {
    const app = express();
    let target: unknown;
    app.use((req, _res, next) => {
      if (change !== undefined) req.url = change(req.url);
      next();
    });
    app.use("/fhir", (req, res) => {
      target = requestTarget(req);
      res.end();
    });
    await ask(`${await listen(app)}${path}`);
    return target;
  }

  it.each([
    ["/fhir/Patient/1?a=b?c", { path: "/Patient/1", query: "a=b?c" }],
    ["/fhir", { path: "", query: "" }],
    ["/fhir?x", { path: "", query: "x" }],
    ["/fhir/%50atient%2f1", { path: "/%50atient%2f1", query: "" }],
  ])("%s is read as it was sent", async (path, expected) => {
    expect(await targetOf(path)).toEqual(expected);
  });

  it("S6: is nothing when the handler would see another URL", async () => {
    expect(await targetOf("/fhir/Patient/1", () => "/fhir/Patient/2")).toBe(undefined);
    expect(await targetOf("/other/Patient/1", () => "/fhir/Patient/1")).toBe(undefined);
  });
});

it("A14: an access record repeats no value of the request and is frozen to its depth", async () => {
  const [, express] = EXPRESS[0];
  const app = express();
  const records: AccessRecord[] = [];
  app.use((req, res, next) => {
    afterAnswer(res, (record) => records.push(record));
    addTransform(res, { name: "test", stage: "guard", json: () => KEEP });
    contextOf(req).interaction = {
      code: "search-type",
      path: "/Patient",
      type: "Patient",
      search: {
        criteria: [
          { raw: "name", steps: [], parameter: "name", on: ["Patient"], values: ["Chalmers"], known: true },
          { raw: "chalmers", steps: [], parameter: "chalmers", on: ["Patient"], values: ["1"], known: false },
        ],
        includes: [],
        sort: [],
        control: [{ name: "_count", value: "seventy-seven" }],
        pairs: [["name", "Chalmers"]],
      },
      touches: [],
      entries: [],
    };
    recordDecision(req, { control: "test", kind: "permit", because: ["rule"] });
    next();
  });
  app.get("/Patient", (_req, res) => void res.json({ name: "Chalmers" }));
  await ask(`${await listen(app)}/Patient?name=Chalmers&chalmers=1&_count=seventy-seven`);
  await expect.poll(() => records.length).toBe(1);
  expect(JSON.stringify(records[0])).not.toMatch(/chalmers|seventy/i);
  expect(records[0]).toMatchObject({
    interaction: "search-type",
    resourceType: "Patient",
    parameters: ["name", "(unknown)", "_count"],
    outcome: "permit",
    status: 200,
    completed: true,
  });
  const frozen = (value: unknown): boolean =>
    typeof value !== "object" || value === null || (Object.isFrozen(value) && Object.values(value).every(frozen));
  expect(frozen(records[0])).toBe(true);
});

it("one decision stands for all that are the same, and for no others", async () => {
  const [, express] = EXPRESS[0];
  const always = Object.freeze(["always"]);
  const seen: (readonly ControlDecision[])[] = [];
  const app = express();
  app.use((req, res) => {
    recordDecision(req, { control: "a", kind: "permit", because: always });
    recordDecision(req, { control: "b", kind: "permit", because: always });
    recordDecision(req, { control: "a", kind: "deny", because: always, code: "a/no" });
    recordDecision(req, { control: "c", kind: "permit", because: ["now", "and then"] });
    recordDecision(req, { control: "c", kind: "permit", because: ["now"] });
    seen.push(contextOf(req).decisions);
    res.json({});
  });
  const url = await listen(app);
  await ask(url);
  await ask(url);
  for (const decisions of seen)
    expect(decisions).toEqual([
      { control: "a", kind: "permit", because: ["always"] },
      { control: "b", kind: "permit", because: ["always"] },
      { control: "a", kind: "deny", because: ["always"], code: "a/no" },
      { control: "c", kind: "permit", because: ["now", "and then"] },
      { control: "c", kind: "permit", because: ["now"] },
    ]);
  const [first = [], second = []] = seen;
  expect(second.every((decision, at) => decision === first[at] && isStanding(decision))).toBe(true);
  expect(new Set(second).size).toBe(5);
});

it("S8: decisions whose words run together are still two", async () => {
  const [, express] = EXPRESS[0];
  const decided: readonly ControlDecision[] = [
    { control: "s8", kind: "deny", because: ["one\ntwo", "three"], code: "s8/no" },
    { control: "s8", kind: "deny", because: ["one", "two\nthree"], code: "s8/no" },
    { control: "s8", kind: "deny", because: ["one", "two", "three"], code: "s8/no" },
    { control: "s8", kind: "permit", because: ["s8/no", "one"] },
    { control: "s8", kind: "permit", because: ["one"], code: "s8/no" },
  ];
  let seen: readonly ControlDecision[] = [];
  const app = express();
  app.use((req, res) => {
    for (const decision of decided) recordDecision(req, decision);
    seen = contextOf(req).decisions;
    res.json({});
  });
  await ask(await listen(app));
  expect(seen).toEqual(decided);
});

it("readBody leaves the body where a later stage and an Express parser find it", async () => {
  const [, express] = EXPRESS[0];
  const app = express();
  app.use(async (req, _res, next) => {
    await readBody(req, { limitBytes: 1000 });
    next();
  });
  app.use(express.json());
  app.post("/", async (req, res) => {
    const again = await readBody(req, { limitBytes: 1000 });
    res.json({ parsed: req.body as unknown, again: again.kind === "permit" && again.grant.json });
  });
  const answer = await ask(await listen(app), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: '{"a":[1]}',
  });
  expect(JSON.parse(answer.text)).toEqual({ parsed: { a: [1] }, again: { a: [1] } });
});
