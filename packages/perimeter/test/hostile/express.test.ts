import { contextOf } from "@wardline/policy-types/express";
import { type Answer, askPort, EXPRESS, listenOnPort } from "@wardline-tools/test-kit";
import type { Request, Response } from "express";
import { describe, expect, it, vi } from "vitest";
import { type HostileBodyOptions, type HostileReport, hostileBody, perimeter } from "../../src/index.ts";

const HOST = ["Host", "fhir.example.org", "Accept", "application/json", "User-Agent", "app/1.0"] as const;

describe.each(EXPRESS)("hostile input on %s", (_name, express) => {
  async function serve(
    options: HostileBodyOptions = {},
  ): Promise<{ port: number; ran: () => number; because: string[] }> {
    const { limitBytes: _ofBodies, ...head } = options;
    const app = express();
    const seen = vi.fn();
    const because: string[] = [];
    app.use((req, res, next) => {
      res.once("close", () => because.push(...contextOf(req).decisions.flatMap((decision) => decision.because)));
      next();
    });
    app.use(perimeter({ development: true, hostileInput: head }), hostileBody(options));
    app.use((req: Request, res: Response) => {
      seen();
      res.json({ body: (req.body as unknown) ?? null });
    });
    return { port: await listenOnPort(app), ran: () => seen.mock.calls.length, because };
  }
  const post = (port: number, type: string, body: string): Promise<Answer> =>
    askPort(port, {
      method: "POST",
      headers: [...HOST, "Content-Type", type, "Content-Length", String(Buffer.byteLength(body))],
      body,
    });
  const expectRefusal = (answer: Answer): void =>
    expect([answer.status, answer.code]).toEqual([400, "perimeter/hostile-input"]);

  it.each([
    ["the query", "/fhir/Patient?name=x%27+or+1%3D1--", "hostile:sql/always-true in parameter"],
    ["a parameter's name", "/fhir/Patient?name[$ne]=x", "hostile:nosql/operator-name in parameter-name"],
    ["the path", "/fhir/.git/config", "hostile:probe/hidden-file in path"],
  ])("is refused in %s, and the reason names the rule", async (_where, target, reason) => {
    const { port, ran, because } = await serve();
    const answer = await askPort(port, { target, headers: HOST });
    expectRefusal(answer);
    expect(answer.text).not.toContain("1=1");
    expect(ran()).toBe(0);
    await expect.poll(() => because).toContain(reason);
  });

  it.each([
    ["a header", ["User-Agent", "${jndi:ldap://x/a}"]],
    ["a media type", ["Content-Type", "%{(#a='b')}"]],
    ["ranges that repeat", ["Range", "bytes=0-1,0-1,0-1,0-1,0-1,0-1"]],
    ["a backward range", ["Range", "bytes=9-1"]],
    ["a connection kept and closed", ["Connection", "keep-alive, close"]],
    ["codings that are none", ["Accept-Encoding", `${"A".repeat(150)}&**`]],
  ])("is refused in %s", async (_what, header) => {
    const { port, ran } = await serve();
    expectRefusal(await askPort(port, { headers: ["Host", "fhir.example.org", ...header] }));
    expect(ran()).toBe(0);
  });

  it("headers that no handler will see are not judged", async () => {
    const { port } = await serve();
    expect((await askPort(port, { headers: [...HOST, "Cookie", "a=<script>", "Referer", "' or 1=1--"] })).status).toBe(
      200,
    );
  });

  it.each([
    ["a form", "application/x-www-form-urlencoded", "name=%3Cscript%3E"],
    ["a form that names another method", "application/x-www-form-urlencoded", "_method=DELETE"],
    ["JSON that is not FHIR", "application/json", '{"a":["x; cat /etc/passwd"]}'],
    ["a name in JSON", "application/json", '{"$where":"1"}'],
    [
      "a reference that a server would follow inside its network",
      "application/fhir+json",
      '{"resourceType":"Observation","subject":{"reference":"http://169.254.169.254/Patient/1"}}',
    ],
    [
      "a subscription's endpoint",
      "application/fhir+json",
      '{"resourceType":"Subscription","channel":{"endpoint":"file:///x"}}',
    ],
    [
      "a narrative with a script",
      "application/fhir+json",
      '{"resourceType":"Patient","text":{"div":"<div><script>x</script></div>"}}',
    ],
    ["XXE", "application/fhir+xml", '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'],
    [
      "an entity bomb",
      "text/xml",
      '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]><a>&c;</a>',
    ],
    ["XInclude", "application/xml", '<a xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="x"/></a>'],
    ["XML in UTF-16", "application/xml", "\0<\0a\0/\0>"],
    ["XML that says it is in another encoding", "application/xml", '<?xml version="1.0" encoding="UTF-7"?><a/>'],
    ["an attribute of XML that is not FHIR", "application/xml", '<a b="1 OR 1=1"/>'],
    ["a text in XML that is not FHIR", "application/xml", "<a>&lt;script&gt;</a>"],
  ])("is refused in %s, and the handler does not run", async (_what, type, body) => {
    const { port, ran } = await serve();
    expectRefusal(await post(port, type, body));
    expect(ran()).toBe(0);
  });

  it.each([
    ["FHIR", "application/fhir+json", '{"resourceType":"Patient","name":[{"text":"\'; DROP TABLE x;--<script>"}]}'],
    [
      "FHIR under its plainer name",
      "application/json",
      '{"resourceType":"Patient","name":[{"text":"../../etc/passwd"}]}',
    ],
    ["JSON Patch", "application/json-patch+json", '[{"op":"add","path":"/name","value":"<script>"}]'],
    [
      "FHIR in XML",
      "application/fhir+xml",
      '<Patient xmlns="http://hl7.org/fhir"><name><text value="1 OR 1=1"/></name></Patient>',
    ],
    ["a search by POST", "application/x-www-form-urlencoded", "name=O%27Brien&code=http%3A%2F%2Floinc.org%7C1"],
    ["what is no text", "application/octet-stream", "<script>"],
  ])("%s passes with what is data there", async (_what, type, body) => {
    const { port } = await serve();
    expect((await post(port, type, body)).status).toBe(200);
  });

  it("a body over the limit is refused unread", async () => {
    const { port } = await serve({ limitBytes: 10 });
    expect((await post(port, "application/json", '{"a":"0123456789"}')).status).toBe(413);
  });

  it("mode report lets pass and tells, mode off does not look", async () => {
    const reports: HostileReport[] = [];
    const reporting = await serve({ mode: "report", onFinding: (report) => reports.push(report) });
    expect((await askPort(reporting.port, { target: "/x?a=%3Cscript%3E", headers: HOST })).status).toBe(200);
    expect(reports).toEqual([
      { rule: "script/tag", surface: "parameter", requestId: expect.any(String) as string, refused: false },
    ]);
    await expect.poll(() => reporting.because).toContain("hostile:script/tag in parameter");
    const off = await serve({ mode: "off" });
    expect((await askPort(off.port, { target: "/x?a=%3Cscript%3E", headers: HOST })).status).toBe(200);
    expect((await post(off.port, "application/json", '{"$where":1}')).status).toBe(200);
  });

  it.each([undefined, "route"])("S12: a listener that throws %j opens nothing", async (thrown) => {
    const { port, ran } = await serve({
      onFinding: () => {
        throw thrown;
      },
    });
    expect((await askPort(port, { target: "/x?a=%3Cscript%3E", headers: HOST })).status).toBe(500);
    expect((await post(port, "application/json", '{"$where":1}')).status).toBe(500);
    expect(ran()).toBe(0);
  });

  it("an exception holds for its path, its rules and its parameter only", async () => {
    const { port } = await serve({
      exceptions: [
        { path: "/fhir/ValueSet/$expand", rules: ["script/*"], parameter: "filter" },
        { path: "/notes/*", rules: ["sql/union-select"] },
      ],
    });
    const status = async (target: string): Promise<number> => (await askPort(port, { target, headers: HOST })).status;
    expect(await status("/fhir/ValueSet/$expand?filter=%3Cscript%3E")).toBe(200);
    expect(await status("/fhir/ValueSet/$expand?url=%3Cscript%3E")).toBe(400);
    expect(await status("/fhir/ValueSet/$expand?filter=1%3B+drop+table+x")).toBe(400);
    expect(await status("/fhir/ValueSet?filter=%3Cscript%3E")).toBe(400);
    expect(await status("/notes/a/b?x=1+union+select+2")).toBe(200);
    expect(await status("/notesx?x=1+union+select+2")).toBe(400);
  });

  it("an origin that is ours may be named", async () => {
    const { port } = await serve({ allowedOrigins: ["http://10.1.2.3:8080"] });
    const status = async (url: string): Promise<number> =>
      (await askPort(port, { target: `/fhir/Observation?subject=${encodeURIComponent(url)}`, headers: HOST })).status;
    expect(await status("http://10.1.2.3:8080/fhir/Patient/1")).toBe(200);
    expect(await status("http://10.1.2.3/fhir/Patient/1")).toBe(400);
  });

  it.each([
    [
      "a scanner's name",
      "/fhir/Patient",
      ["User-Agent", "sqlmap/1.7"],
      ["signal:scanner-agent", "signal:no-accept"],
      200,
    ],
    ["no agent", "/fhir/Patient", ["Accept", "*/*"], ["signal:no-user-agent"], 200],
    ["probing", "/.env", ["User-Agent", "app", "Accept", "*/*"], ["signal:path-probing"], 400],
  ])("%s is a signal in the recorded decision", async (_what, target, headers, signals, status) => {
    const { port, because } = await serve();
    expect((await askPort(port, { target, headers: ["Host", "fhir.example.org", ...headers] })).status).toBe(status);
    await expect.poll(() => because.filter((reason) => reason.startsWith("signal:"))).toEqual(signals);
  });
});

describe("hostile input options", () => {
  it.each<[string, object | null]>([
    ["a misspelled mode", { mode: "refused" }],
    ["a misspelled name", { exception: [] }],
    ["a rule that does not exist", { exceptions: [{ path: "/x", rules: ["sql/unions-select"] }] }],
    ["an exception without rules", { exceptions: [{ path: "/x", rules: [] }] }],
    ["a pattern as path", { exceptions: [{ path: "/x/*/y", rules: ["sql/*"] }] }],
    ["an origin with a path", { allowedOrigins: ["http://x/fhir"] }],
    ["no limit", { maxParameters: 0 }],
    ["a body limit of nothing", { limitBytes: 0 }],
    ["null", null],
  ])("refuse %s", (_what, options) => expect(() => hostileBody(options as HostileBodyOptions)).toThrow("mistake"));
});
