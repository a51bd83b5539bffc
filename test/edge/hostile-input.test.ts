import { describe, expect, it } from "vitest";
import { codeOf, raw, startEdge } from "./support/edge.ts";

const AUTH = async (edge: Awaited<ReturnType<typeof startEdge>>): Promise<string> =>
  `Authorization: Bearer ${await edge.issuer.token({ patient: "a", scope: "patient/*.cruds" })}`;

/** Every case: a raw request below `/fhir`, with a good token where `{auth}` stands. */
const CASES: readonly (readonly [what: string, request: string, status: RegExp])[] = [
  ["malformed JSON", body("POST", "/fhir/Observation", '{"resourceType":'), /^400/],
  [
    "JSON with a repeated name",
    body("POST", "/fhir/Observation", '{"resourceType":"Observation","id":"1","id":"2"}'),
    /^400/,
  ],
  ["JSON with __proto__", body("POST", "/fhir/Observation", '{"resourceType":"Observation","__proto__":{}}'), /^400/],
  [
    "a form that is no search",
    body("POST", "/fhir/Observation", "a=b", "application/x-www-form-urlencoded"),
    /^4(00|15)/,
  ],
  ["a body longer than the limit", body("POST", "/fhir/Observation", `"${"x".repeat(2_000)}"`), /^413/],
  ["an unknown type", get("/fhir/Patients/1"), /^4(00|04)/],
  ["a type in another case", get("/fhir/patient/a"), /^4(00|04)/],
  ["a bad id", get("/fhir/Patient/a_b"), /^4(00|04)/],
  ["an id that is too long", get(`/fhir/Patient/${"x".repeat(65)}`), /^4(00|04)/],
  ["a double-encoded path", get("/fhir/Patient%252fa"), /^400/],
  ["an encoded slash", get("/fhir/Patient%2fa"), /^400/],
  ["an encoded backslash", get("/fhir/Patient%5ca"), /^400/],
  ["dot segments", get("/fhir/Observation/../Patient/a"), /^400/],
  ["encoded dot segments", get("/fhir/Observation/%2e%2e/Patient/a"), /^400/],
  ["a path parameter", get("/fhir/Patient;x=1/a"), /^400/],
  ["an empty segment", get("/fhir//Patient/a"), /^400/],
  ["an encoded NUL", get("/fhir/Patient/a%00"), /^400/],
  ["broken percent-encoding", get("/fhir/Patient/%zz"), /^400/],
  ["ill-formed UTF-8 in the path", get("/fhir/Patient/%ff"), /^400/],
  ["the path in another case", get("/FHIR/Patient/a"), /^404/],
  ["a token in the query", get("/fhir/Patient/a?access_token=x"), /^400/],
  ["an unknown parameter", get("/fhir/Patient?surprise=1"), /^400/],
  ["an unknown modifier", get("/fhir/Patient?name:surprise=1"), /^400/],
  ["a method override", get("/fhir/Patient/a", "X-HTTP-Method-Override: DELETE\r\n"), /^400/],
  ["a body on GET", `GET /fhir/Patient/a HTTP/1.1\r\nHost: e\r\n{auth}\r\nContent-Length: 2\r\n\r\n{}`, /^400/],
  ["TRACE", "TRACE /fhir/Patient/a HTTP/1.1\r\nHost: e\r\n{auth}\r\n\r\n", /^40[05]/],
  ["a method nobody knows", "BREW /fhir/Patient/a HTTP/1.1\r\nHost: e\r\n{auth}\r\n\r\n", /^40[05]/],
  ["two Authorization headers", get("/fhir/Patient/a", "{auth}\r\n"), /^400/],
  ["two Authorization headers, one empty", get("/fhir/Patient/a", "Authorization: \r\n"), /^400/],
  ["two Host headers", get("/fhir/Patient/a", "Host: other\r\n"), /^400/],
  ["no Host header", "GET /fhir/Patient/a HTTP/1.1\r\n{auth}\r\n\r\n", /^400/],
  ["a 1 MB header", get("/fhir/Patient/a", `X-Big: ${"x".repeat(1 << 20)}\r\n`), /^431/],
  ["a very long URL", get(`/fhir/Patient?name=${"x".repeat(9_000)}`), /^414/],
  [
    "Content-Length and Transfer-Encoding",
    "POST /fhir/Observation HTTP/1.1\r\nHost: e\r\n{auth}\r\nContent-Type: application/json\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    /^400/,
  ],
  [
    "two Content-Lengths",
    "POST /fhir/Observation HTTP/1.1\r\nHost: e\r\n{auth}\r\nContent-Type: application/json\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    /^400/,
  ],
  ["a space before the colon", get("/fhir/Patient/a", "X-A : b\r\n"), /^400/],
  ["a bare carriage return", get("/fhir/Patient/a", "X-A: b\rX-B: c\r\n"), /^400/],
  ["an absolute-form target", "GET http://other/fhir/Patient/a HTTP/1.1\r\nHost: e\r\n{auth}\r\n\r\n", /^400/],
  ["no HTTP at all", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", /^400/],
  ["another charset", body("POST", "/fhir/Observation", "{}", "application/fhir+json; charset=utf-16"), /^415/],
  [
    "a content coding nobody knows",
    `POST /fhir/Observation HTTP/1.1\r\nHost: e\r\n{auth}\r\nContent-Type: application/fhir+json\r\nContent-Encoding: zstd\r\nContent-Length: 2\r\n\r\n{}`,
    /^415/,
  ],
  ["XML asked for by parameter", get("/fhir/Patient/a?_format=xml"), /^406/],
  ["XML asked for", get("/fhir/Patient/a", "Accept: application/fhir+xml\r\n"), /^406/],
];

function get(target: string, more = ""): string {
  return `GET ${target} HTTP/1.1\r\nHost: e\r\n{auth}\r\n${more}\r\n`;
}

function body(method: string, target: string, text: string, type = "application/fhir+json"): string {
  return `${method} ${target} HTTP/1.1\r\nHost: e\r\n{auth}\r\nContent-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
}

describe("bad input gets a 4xx OperationOutcome, never reaches the upstream, and harms nobody", () => {
  it("S6, S9, S15: every case, and the edge serves on", async () => {
    const edge = await startEdge((policy) => ({ ...policy, limits: { requestBodyBytes: 1_500 } }));
    const wrong: string[] = [];
    for (const [what, request, status] of CASES) {
      const answer = await raw(edge.port, Buffer.from(request.replaceAll("{auth}", await AUTH(edge)), "latin1"));
      const [, code = "nothing"] = /^HTTP\/1\.1 (\d{3})/.exec(answer) ?? [];
      const outcome = answer.slice(answer.indexOf("\r\n\r\n") + 4);
      const media = /content-type: application\/(fhir|problem)\+json/i.test(answer);
      const isOutcome = outcome.includes('"OperationOutcome"') || /"code":"(perimeter|gateway)\//.test(outcome);
      if (!status.test(code) || !isOutcome || !media) wrong.push(`${what}: ${answer.slice(0, 300)}`);
      if (/chalmers|surprise|stack|node_modules|ajv|express/i.test(outcome))
        wrong.push(`${what} tells too much: ${outcome}`);
    }
    expect(wrong).toEqual([]);
    expect(edge.backend.asked).toEqual([]);
    expect((await edge.ask("/Patient/a")).status).toBe(200);
    expect(edge.backend.asked).toEqual(["GET /r4/Patient/a"]);
  });

  it("S15: a stage that throws tells nothing", async () => {
    const edge = await startEdge();
    edge.backend.answer = (_req, res) => {
      res.writeHead(200, { "Content-Type": "application/fhir+json" });
      res.end('{"resourceType":"Patient","id":"a","name":');
    };
    const answer = await edge.ask("/Patient/a");
    expect([answer.status, codeOf(answer.json)]).toEqual([502, "policy-types/answer-unreadable"]);
  });
});
