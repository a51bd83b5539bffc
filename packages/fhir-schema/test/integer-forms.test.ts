import { describe, expect, it } from "vitest";
import { integerFormIssues } from "../src/integer-forms.ts";
import { cpuMilliseconds } from "./support/cpu.ts";

const found = (text: string, maxIssues = 20) =>
  integerFormIssues(Buffer.from(text), JSON.parse(text), maxIssues).map(({ expression }) => expression);

describe("integers in another form", () => {
  it.each<[string, string, string]>([
    ["a choice", '{"resourceType":"Patient","multipleBirthInteger":1.0}', "Patient.multipleBirth"],
    ["an exponent", '{"resourceType":"Patient","multipleBirthInteger":1e0}', "Patient.multipleBirth"],
    ["a minus", '{"resourceType":"Observation","valueInteger":-2.00}', "Observation.value"],
    ["a positive integer", '{"resourceType":"Patient","telecom":[{},{"rank":1.0}]}', "Patient.telecom[1].rank"],
    ["white space", '{ "resourceType" : "Patient" , "multipleBirthInteger" : 1.0 }', "Patient.multipleBirth"],
    [
      "after text like a number",
      '{"resourceType":"Patient","language":"\\":1.0,","multipleBirthInteger":1.0}',
      "Patient.multipleBirth",
    ],
    ["a name that is escaped", '{"resourceType":"Patient","multiple\\u0042irthInteger":1.0}', "Patient.multipleBirth"],
    ["in a backbone element", '{"resourceType":"Claim","item":[{"sequence":1.0}]}', "Claim.item[0].sequence"],
    [
      "in an extension",
      '{"resourceType":"Patient","extension":[{"url":"u","valueUnsignedInt":3.0}]}',
      "Patient.extension[0].value",
    ],
    [
      "in a contained resource",
      '{"resourceType":"Basic","contained":[{"resourceType":"Patient","multipleBirthInteger":1.0}]}',
      "Basic.contained[0].multipleBirth",
    ],
    [
      "in an extension of a primitive",
      '{"resourceType":"Patient","_birthDate":{"extension":[{"url":"u","valueInteger":3.0}]}}',
      "Patient.birthDate.extension[0].value",
    ],
    [
      "in an extension of one of several primitives",
      '{"resourceType":"Patient","name":[{"_given":[null,{"extension":[{"url":"u","valueInteger":3.0}]}]}]}',
      "Patient.name[0].given[1].extension[0].value",
    ],
    ["in an entry", '{"resourceType":"Bundle","total":1.0,"entry":[]}', "Bundle.total"],
    [
      "in an entry's resource",
      '{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Patient","multipleBirthInteger":1E0}}]}',
      "Bundle.entry[0].resource.multipleBirth",
    ],
    [
      "in a parameter",
      '{"resourceType":"Parameters","parameter":[{"name":"a","valueInteger":1.0}]}',
      "Parameters.parameter[0].value",
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
