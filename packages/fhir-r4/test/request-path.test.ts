import { parseInteraction } from "@wardline/fhir-r4";
import { describe, expect, it } from "vitest";

const get = (path: string) => parseInteraction({ method: "GET", path });

describe("S6: one canonical path", () => {
  it.each([
    ["/Patient%2F1", "the path holds an encoded delimiter"],
    ["/Patient/1%2f_history", "the path holds an encoded delimiter"],
    ["/Patient/1%5C2", "the path holds an encoded delimiter"],
    ["/Patient/1%3Bv=2", "the path holds an encoded delimiter"],
    ["/Patient\\1", "the path holds a backslash"],
    ["/Patient/1%00", "the path holds a control character"],
    ["/Patient/1%0d%0a", "the path holds a control character"],
    ["/Patient/1%7F", "the path holds a control character"],
    ["/Patient/../Observation", "the path holds a dot segment"],
    ["/Patient/%2e%2e/Observation", "the path holds a dot segment"],
    ["/Patient/.%2E", "the path holds a dot segment"],
    ["/./Patient/1", "the path holds a dot segment"],
    ["/Patient/%2e", "the path holds a dot segment"],
    ["/Patient;v=1/1", "the path holds a semicolon"],
    ["/Patient/1;", "the path holds a semicolon"],
    ["//Patient/1", "the path holds an empty segment"],
    ["/Patient//1", "the path holds an empty segment"],
    ["//", "the path holds an empty segment"],
    ["/Patient/%2531", "the path is encoded twice"],
    ["/Patient%252F1", "the path is encoded twice"],
    ["/Patient/%c0%af", "the path's percent-encoding is no UTF-8"],
    ["/Patient/%ff", "the path's percent-encoding is no UTF-8"],
    ["/Patient/%E2%82", "the path's percent-encoding is no UTF-8"],
    ["/Patient/%", "the path holds a character that must be percent-encoded"],
    ["/Patient/%4", "the path holds a character that must be percent-encoded"],
    ["/Patient/%zz", "the path holds a character that must be percent-encoded"],
    ["/Patient/1 ", "the path holds a character that must be percent-encoded"],
    ["/Patient/\u0131", "the path holds a character that must be percent-encoded"],
    ["/Patient/1?x", "the path holds a character that must be percent-encoded"],
    ["/Patient/1#x", "the path holds a character that must be percent-encoded"],
  ])("%s is refused: %s", (path, because) => {
    const interaction = get(path);
    expect(interaction.code).toBe("unknown");
    expect(interaction.unknownBecause).toBe(because);
    expect(interaction.path).toBe("");
    expect(interaction.touches).toEqual([{ type: "*", via: "base" }]);
  });

  it.each(["/Patient/", "/Patient/1/", "/Patient/1/_history/", "/metadata/", "/$everything/"])(
    "%s with a slash at the end is refused",
    (path) => {
      expect(get(path)).toMatchObject({ code: "unknown", unknownBecause: "the path ends with a slash" });
    },
  );

  it.each([
    "/patient/1",
    "/PATIENT/1",
    "/Patients/1",
    "/Resource/1",
    "/DomainResource/1",
    "/__proto__/1",
    "/constructor",
    "/Patient/a_b",
    "/Patient/a%20b",
    "/Patient/a%2Bb",
    "/Patient/a+b",
    `/Patient/${"a".repeat(65)}`,
    "/Patient/1/_history/a_b",
    "/Patient/1/_History",
    "/Patient/_History",
    "/Metadata",
    "/_history/1",
    "/metadata/1",
    "/Patient/1/_search",
    "/Patient/1/_history/2/3",
    "/Patient/1/Observation/2",
    "/Patient/1/Observations",
    "/Patient/1/patient",
    "/Organization/1/Patient",
    "/Patient/*",
    "/*",
    "/$",
    "/$a b",
    "/Patient/1/$everything/2",
    "/Patient/1/_history/2/$everything",
    "/Patient/$match/1",
    "/Patient/_search/1",
    "/_search",
    "/Patient/_search",
    "/Patient/1.json/x",
  ])("GET %s has no meaning in R4", (path) => {
    expect(get(path).code).toBe("unknown");
  });

  it.each([
    ["/%50atient/1", "/Patient/1"],
    ["/Patient/%31", "/Patient/1"],
    ["/Patient/1/%24everything", "/Patient/1/$everything"],
    ["/Patient/1/%5Fhistory", "/Patient/1/_history"],
    ["/Patient/1/%2A", "/Patient/1/*"],
    ["Patient/1", "/Patient/1"],
    ["", "/"],
    ["/", "/"],
    [`/Patient/${"a".repeat(64)}`, `/Patient/${"a".repeat(64)}`],
    ["/Patient/a.b-C", "/Patient/a.b-C"],
  ])("%s is canonically %s", (path, canonical) => {
    const interaction = get(path);
    expect(interaction.code).not.toBe("unknown");
    expect(interaction.path).toBe(canonical);
  });
});
