import { describe, expect, it } from "vitest";
import { integerFormIssues } from "../src/integer-forms.ts";
import { cpuMilliseconds } from "./support/cpu.ts";

const found = (text: string, maxIssues = 20) =>
  integerFormIssues(Buffer.from(text), JSON.parse(text), maxIssues).map(({ expression }) => expression);

describe("integers in another form", () => {
  it.each<[string, string, string]>([
    ["a choice", '{"resourceType":"Patient","multipleBirthInteger":1.0}', "Patient.multipleBirthInteger"],
    ["an exponent", '{"resourceType":"Patient","multipleBirthInteger":1e0}', "Patient.multipleBirthInteger"],
    ["a minus", '{"resourceType":"Observation","valueInteger":-2.00}', "Observation.valueInteger"],
    ["a positive integer", '{"resourceType":"Patient","telecom":[{},{"rank":1.0}]}', "Patient.telecom[1].rank"],
    ["white space", '{ "resourceType" : "Patient" , "multipleBirthInteger" : 1.0 }', "Patient.multipleBirthInteger"],
    [
      "after text like a number",
      '{"resourceType":"Patient","language":"\\":1.0,","multipleBirthInteger":1.0}',
      "Patient.multipleBirthInteger",
    ],
    ["in a backbone element", '{"resourceType":"Claim","item":[{"sequence":1.0}]}', "Claim.item[0].sequence"],
    [
      "in an extension",
      '{"resourceType":"Patient","extension":[{"url":"u","valueUnsignedInt":3.0}]}',
      "Patient.extension[0].valueUnsignedInt",
    ],
    [
      "in a contained resource",
      '{"resourceType":"Basic","contained":[{"resourceType":"Patient","multipleBirthInteger":1.0}]}',
      "Basic.contained[0].multipleBirthInteger",
    ],
    ["in an entry", '{"resourceType":"Bundle","total":1.0,"entry":[]}', "Bundle.total"],
    [
      "in an entry's resource",
      '{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Patient","multipleBirthInteger":1E0}}]}',
      "Bundle.entry[0].resource.multipleBirthInteger",
    ],
    [
      "in a parameter",
      '{"resourceType":"Parameters","parameter":[{"name":"a","valueInteger":1.0}]}',
      "Parameters.parameter[0].valueInteger",
    ],
  ])("%s", (_what, text, expression) => expect(found(text)).toEqual([expression]));

  it.each([
    '{"resourceType":"Patient","multipleBirthInteger":10}',
    '{"resourceType":"Observation","valueQuantity":{"value":2.00}}',
    '{"resourceType":"Observation","valueQuantity":{"value":1e2},"component":[{"valueQuantity":{"value":-3.0}}]}',
    '{"resourceType":"Patient","nonsense":1.0}',
    '{"resourceType":"Nobody","multipleBirthInteger":1.0}',
    '{"multipleBirthInteger":1.0}',
    "[1.0,[2.0]]",
    "1.0",
    '{"resourceType":"Patient","language":"1.0"}',
  ])("%s is none", (text) => expect(found(text)).toEqual([]));

  it("tells no more than it may, in linear time", () => {
    const many = (value: string) =>
      `{"resourceType":"Claim","item":[${Array.from({ length: 50_000 }, () => value).join(",")}]}`;
    expect(found(many('{"sequence":1.0}'), 3)).toHaveLength(3);
    const spent = cpuMilliseconds(() => expect(found(many('{"factor":1.0}'))).toEqual([]));
    expect(spent).toBeLessThan(1500);
  });
});
