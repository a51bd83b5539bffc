import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decideTarget } from "../src/target.ts";

const decide = (target: string): ReturnType<typeof decideTarget> => decideTarget(target, { maxUrlBytes: 200 });

describe("S6: one spelling per path", () => {
  it.each([
    "/",
    "/fhir/Patient/1",
    "/fhir/Patient/1/_history/2",
    "/fhir/ValueSet/$expand?url=http%3A%2F%2Fexample.org%2Fvs%3Fx%2541",
    "/fhir/Observation?code=http://loinc.org|1234-5,http://loinc.org%7C5678-9",
    "/fhir/Patient?name=M%C3%BCller+Hans&birthdate=gt1990-01-01T00:00:00%2B01:00",
    "/fhir/Patient?_has:Observation:subject:code=1&x[]=2&y={}^`",
    "/fhir/Patient?name=a%2F..%2F;b&next=/../x//y",
    "/fhir/Patient?",
    "/fhir/a.b/..c/...",
    "/fhir/Patient?token=1&my_access_token=2",
  ])("lets %s pass", (target) => {
    expect(decide(target).kind).toBe("permit");
  });

  it.each([
    [`/fhir/${"x".repeat(200)}`, "target-too-long", 414],
    ["*", "target-form", 400],
    ["", "target-form", 400],
    ["http://evil.example/fhir/Patient/1", "target-form", 400],
    ["fhir/Patient/1", "target-form", 400],
    ["?x", "target-form", 400],
    ["/fhir/Patient/1#top", "target-fragment", 400],
    ["/fhir/Patient?a=1#top", "target-fragment", 400],
    ["/fhir/Patient/\u00e9", "target-characters", 400],
    ["/fhir/Patient/1 2", "target-characters", 400],
    ["/fhir/Patient/1\t", "target-characters", 400],
    ["/fhir/Patient/\u0000", "target-characters", 400],
    ["/fhir/Patient/{1}", "target-characters", 400],
    ["/fhir/Patient?name=\u00e9", "target-characters", 400],
    ["/fhir/Patient?name=<script>", "target-characters", 400],
    ["/fhir/Patient?name=\u007f", "target-characters", 400],
    ["/fhir/Patient/%", "target-encoding", 400],
    ["/fhir/Patient/%4", "target-encoding", 400],
    ["/fhir/Patient/%zz", "target-encoding", 400],
    ["/fhir/Patient/%c0%af", "target-encoding", 400],
    ["/fhir/Patient/%ff", "target-encoding", 400],
    ["/fhir/Patient/%ed%a0%80", "target-encoding", 400],
    ["/fhir/Patient?name=%", "target-encoding", 400],
    ["/fhir/Patient?name=%c0%af", "target-encoding", 400],
    ["/fhir/Patient?name=%u0041", "target-encoding", 400],
    ["/fhir/Patient%2f1", "path-separator", 400],
    ["/fhir/Patient%2F1", "path-separator", 400],
    ["/fhir/Patient%5c1", "path-separator", 400],
    ["/fhir\\Patient/1", "path-separator", 400],
    ["/fhir/Patient/1%00", "path-control", 400],
    ["/fhir/Patient/1%0d%0a", "path-control", 400],
    ["/fhir/Patient/1%7F", "path-control", 400],
    ["/fhir/Patient/1%C2%85", "path-control", 400],
    ["/fhir/Patient/%2541", "path-double-encoding", 400],
    ["/fhir/Patient%252f1", "path-double-encoding", 400],
    ["/fhir/%252e%252e/x", "path-double-encoding", 400],
    ["/fhir/./Patient/1", "path-dot-segment", 400],
    ["/fhir/../Patient/1", "path-dot-segment", 400],
    ["/fhir/..", "path-dot-segment", 400],
    ["/fhir/%2e%2e/Patient/1", "path-dot-segment", 400],
    ["/fhir/.%2E/Patient/1", "path-dot-segment", 400],
    ["/fhir/%2e/Patient/1", "path-dot-segment", 400],
    ["/fhir/Patient;x=1/1", "path-parameter", 400],
    ["/fhir/..;/Patient/1", "path-parameter", 400],
    ["/fhir/Patient%3b/1", "path-parameter", 400],
    ["//fhir/Patient/1", "path-empty-segment", 400],
    ["/fhir//Patient/1", "path-empty-segment", 400],
    ["/fhir/Patient//", "path-empty-segment", 400],
    ["/fhir/Patient?name=a%00", "query-control", 400],
    ["/fhir/Patient?name=%0d%0aSet-Cookie:x", "query-control", 400],
    ["/fhir/Patient?access_token=x", "token-in-query", 400],
    ["/fhir/Patient?_id=1&access_token", "token-in-query", 400],
    ["/fhir/Patient?%61ccess_token=x", "token-in-query", 400],
    ["/fhir/Patient?Access_Token=x", "token-in-query", 400],
    ["/fhir/Patient?access_token[]=x", "token-in-query", 400],
    ["/fhir/Patient?_method=DELETE", "method-override", 400],
    ["/fhir/Patient?%5fMethod=DELETE", "method-override", 400],
  ])("refuses %j as %s", (target, name, status) => {
    expect(decide(target)).toMatchObject({ kind: "deny", problem: { code: `perimeter/${name}`, status } });
  });

  it("S15: a refusal repeats nothing of the request", () => {
    expect(JSON.stringify(decide("/fhir/Patient/Chalmers%00"))).not.toContain("Chalmers");
  });

  it("a query is let through exactly when it is well encoded text and names no token", () => {
    const piece = fc.constantFrom(
      ..."a=&+%7fF0".split(""),
      ..."%20 %2B %7f %7F %1f %0a %c3 %C3%A9 %c2%85 %EF%BB%BF %4 access_token ACCESS%5ftoken _method x".split(" "),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 14, size: "max" }), (pieces) => {
        const query = pieces.join("");
        expect([query, decide(`/fhir/Patient?${query}`).kind]).toEqual([query, isClean(query) ? "permit" : "deny"]);
      }),
      { numRuns: 3000 },
    );
  });

  it("whatever is let through, other parsers read the same path", () => {
    const hostile = fc.constantFrom(
      ..."/.;%2fF5cCeE0aA\\?#@:&=+|é\u0000\t ".split(""),
      "..",
      "%2e",
      "%25",
      "%2f",
      "%00",
      "//",
      "a",
    );
    fc.assert(
      fc.property(fc.array(hostile, { maxLength: 12 }), (parts) => {
        const target = `/${parts.join("")}`;
        if (decide(target).kind === "deny") return;
        const path = target.replace(/\?.*$/s, "");
        const { pathname, hash } = new URL(`http://h.example${target}`);
        expect([pathname, hash]).toEqual([path, ""]);
        const once = decodeURIComponent(path);
        expect(decodeURIComponent(once)).toBe(once);
        expect(once.split("/").length).toBe(path.split("/").length);
      }),
      { numRuns: 2000 },
    );
  });
});

/** The definition: decode it all, look at every character, read every parameter. */
function isClean(query: string): boolean {
  try {
    if (/\p{Cc}/u.test(decodeURIComponent(query))) return false;
  } catch {
    return false;
  }
  return [...new URLSearchParams(query).keys()].every(
    (name) => !["access_token", "_method"].includes(name.trim().toLowerCase()),
  );
}
