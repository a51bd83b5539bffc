import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkJsonPatch } from "../../src/patch/json-patch.ts";
import { isMarked, marked } from "../support/marked.ts";

/** Operations, each followed by its corruptions, one change at a time. */
describe("JSON Patch, RFC 6902", () => {
  it.each([
    { op: "add", path: "/name/0/given/-", value: "Eve" },
    { op: "add", path: "/active", value: null },
    { op: "remove", path: "/birthDate" },
    { op: "replace", path: "/gender", value: "female" },
    { op: "move", from: "/name/1", path: "/name/0" },
    { op: "copy", from: "/name/1", path: "/contact/0/name" },
    { op: "test", path: "/id", value: "1" },
    { op: "test", path: "/_birthDate/extension/0/url", value: "u" },
  ])("$op $path passes", (operation) => expect(checkJsonPatch([operation])).toEqual([]));

  it.each<[string, unknown, string]>([
    ["no list", { op: "remove", path: "/a" }, "structure"],
    ["nothing", [], "structure"],
    ["no object", ["remove"], "structure"],
    ["an operation nobody has", [{ op: "merge", path: "/a" }], "value"],
    ["an operation in capitals", [{ op: "Add", path: "/a", value: 1 }], "value"],
    ["no operation", [{ path: "/a" }], "value"],
    ["an operation named like a method", [{ op: "constructor", path: "/a" }], "value"],
    ["add without value", [{ op: "add", path: "/a" }], "required"],
    ["remove without path", [{ op: "remove" }], "required"],
    ["move without from", [{ op: "move", path: "/a" }], "required"],
    ["a member of another operation", [{ op: "remove", path: "/a", value: 1 }], "structure"],
    ["a member nobody has", [{ op: "remove", path: "/a", note: "x" }], "structure"],
    ["a path that is no text", [{ op: "remove", path: 1 }], "value"],
    ["a path without its slash", [{ op: "remove", path: "birthDate" }], "value"],
    ["a path in FHIRPath", [{ op: "remove", path: "Patient.birthDate" }], "value"],
    ["a bad escape", [{ op: "remove", path: "/a~2" }], "value"],
    ["an open escape", [{ op: "remove", path: "/a~" }], "value"],
    ["an index with a zero in front", [{ op: "remove", path: "/name/01" }], "value"],
    ["a negative index", [{ op: "remove", path: "/name/-1" }], "value"],
    ["an empty token", [{ op: "remove", path: "/name//given" }], "value"],
    ["a prototype", [{ op: "add", path: "/__proto__/admin", value: true }], "value"],
    ["a prototype at the end", [{ op: "add", path: "/a/__proto__", value: true }], "value"],
    ["a constructor", [{ op: "add", path: "/constructor/prototype/x", value: true }], "value"],
    ["a prototype to copy from", [{ op: "copy", from: "/__proto__", path: "/a" }], "value"],
    ["a control character", [{ op: "remove", path: "/a\n" }], "value"],
    ["a path too deep", [{ op: "remove", path: "/a".repeat(200) }], "value"],
    ["the whole resource", [{ op: "replace", path: "", value: {} }], "business-rule"],
    ["the type", [{ op: "replace", path: "/resourceType", value: "Group" }], "business-rule"],
    ["the id", [{ op: "replace", path: "/id", value: "2" }], "business-rule"],
    ["the id, moved", [{ op: "move", from: "/id", path: "/language" }], "business-rule"],
    ["a move into itself", [{ op: "move", from: "/name", path: "/name/0" }], "value"],
    ["too many", Array.from({ length: 1001 }, () => ({ op: "remove", path: "/a" })), "too-costly"],
  ])("refuses %s", (_what, patch, issue) => {
    expect(checkJsonPatch(patch).map((one) => one.issue)).toEqual([issue]);
  });

  it("never throws, and tells nothing of what it was given (S15)", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (patch) => {
        const secret = marked(patch);
        expect(isMarked(checkJsonPatch([secret, patch]))).toBe(false);
      }),
      { numRuns: 300 },
    );
  });
});
