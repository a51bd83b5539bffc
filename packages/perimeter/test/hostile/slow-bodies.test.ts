import { describe, expect, it } from "vitest";
import { inspectBody } from "../../src/hostile/body.ts";
import { hostilePolicy } from "../../src/hostile/options.ts";

const policy = hostilePolicy({});
const MIB = 1_048_576;
const fill = (unit: string): string => unit.repeat(MIB / unit.length);

// What reads such a text again from each of its places would not come to an end within these tests' time.
describe("a body of 1 MiB made to be read in many ways is read once", { timeout: 15_000 }, () => {
  it.each([
    ["tags that never end", "<a "],
    ["attributes that never begin", "<a\tonload"],
    ["handlers behind no tag", "\tonload\t=\t"],
    ["white space behind handlers", " onload  \t\n "],
    ["openings", "<"],
    ["white space behind an opening", "< \t\n"],
    ["schemes that lack a colon", "javascript \t"],
  ])("a narrative of %s", (_what, unit) => {
    const json = { resourceType: "Patient", text: { status: "generated", div: `<div>${fill(unit)}` } };
    expect(inspectBody({ mediaType: "application/fhir+json", json }, policy)).toEqual([]);
  });

  it.each([
    ["closings", ">"],
    ["openings", "<"],
    ["values that never end", '="'],
    ["values in either quotes", `='="`],
    ["equal signs and white space", "= \t"],
    ["white space", "\t"],
    ["comments that never end", "<!--"],
    ["declarations that never end", "<?xml encoding"],
    ["names", "<a xmlns xmlns "],
  ])("XML of %s", (_what, unit) => {
    const found = inspectBody({ mediaType: "application/xml", bytes: Buffer.from(fill(unit)) }, policy);
    expect(found.length).toBeLessThanOrEqual(20);
  });

  it.each([
    ["schemes", "http://"],
    ["broken letters", "%de"],
    ["comments that never end", "/*!a"],
    ["white space", " \t"],
  ])("references and forms of %s", (_what, unit) => {
    const json = { resourceType: "Patient", generalPractitioner: [{ reference: `x:${fill(unit)}` }] };
    expect(inspectBody({ mediaType: "application/fhir+json", json }, policy)).toEqual([]);
    const form = `a=${fill(unit)}`;
    expect(inspectBody({ mediaType: "application/x-www-form-urlencoded", form }, policy).length).toBeLessThan(20);
  });
});
