import { describe, expect, it } from "vitest";
import { acceptsJson } from "../src/media.ts";
import { parseMediaType } from "../src/media-version.ts";

describe("a media type", () => {
  it.each<[text: string, essence: string, parameters: readonly (readonly [string, string])[]]>([
    ["application/fhir+json", "application/fhir+json", []],
    [" Application/FHIR+JSON ", "application/fhir+json", []],
    ["", "", []],
    ["a/b;", "a/b", [["", ""]]],
    ["A/b ; Charset = UTF-8", "a/b", [["charset", "UTF-8"]]],
    [
      'a/b;fhirVersion="4.0";q',
      "a/b",
      [
        ["fhirversion", "4.0"],
        ["q", ""],
      ],
    ],
    [
      "a/b;c=d=e;=f",
      "a/b",
      [
        ["c", "d=e"],
        ["", "f"],
      ],
    ],
  ])("%j", (text, essence, parameters) => {
    const media = parseMediaType(text);
    expect([media.essence, [...media.parameters]]).toEqual([essence, parameters]);
  });
});

describe("Accept", () => {
  it.each(["*/*", "application/fhir+json", "application/json", "", " ", "text/html, application/fhir+json;q=0.1"])(
    "%j takes FHIR JSON of any version",
    (accept) => expect(["4.0", "4.3"].map((version) => acceptsJson(accept, undefined, version))).toEqual([true, true]),
  );

  it.each(["*/*;q=0", "application/fhir+json;fhirVersion=4.3", "application/fhir+xml", "text/html,text/plain"])(
    "%j does not take it as R4",
    (accept) => expect(acceptsJson(accept, undefined, "4.0")).toBe(false),
  );

  it("what `_format` says comes before", () => {
    expect(acceptsJson("application/fhir+json", "xml", "4.0")).toBe(false);
    expect(acceptsJson("text/html", "json", "4.0")).toBe(true);
  });
});
