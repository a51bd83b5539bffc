import { describe, expect, it, vi } from "vitest";
import { compiled, type Element, errorsOf, profile, type, URL_OF_TEST } from "./support/profile.ts";

const rule = (expression: string | undefined, more: object = {}): object => ({
  constraint: [
    { key: "x-1", severity: "error", human: "h", ...(expression === undefined ? {} : { expression }), ...more },
  ],
});
const root = (expression: string): Element => ({ id: "Observation", ...rule(expression) });
const at = (id: string, types: readonly object[], expression: string): Element => ({
  id,
  type: types,
  ...rule(expression),
});
/** The first element of the support's profile is the root, which a later one of the same id replaces. */
const compile = (...elements: Element[]): ReturnType<typeof compiled> =>
  elements[0]?.id === "Observation"
    ? compiled([], {
        others: [
          profile("Observation", [], {
            url: "https://example.org/StructureDefinition/root",
            snapshot: { element: elements },
          }),
        ],
      })
    : compiled(elements);
const judge = (elements: readonly Element[], fields: object): readonly string[] => {
  const validator = compile(...elements);
  return errorsOfAll(validator, { resourceType: "Observation", ...fields });
};
const errorsOfAll = (validator: ReturnType<typeof compiled>, resource: object): readonly string[] =>
  validator
    .validate(resource, validator.urls)
    .filter(({ severity }) => severity === "error")
    .map(({ issue, expression }) => `${issue} ${expression ?? ""}`);

type Row = readonly [what: string, elements: readonly Element[], fields: object, expected: readonly string[]];
const BACKBONE = [type("BackboneElement")];
const EFFECTIVE: Element = at(
  "Observation.effective[x]",
  [type("dateTime"), type("Period")],
  "($this is Period) or $this.toString().length() >= 8",
);

const ROWS: readonly Row[] = [
  ["a rule of the resource that holds", [root("status.exists()")], { status: "final" }, []],
  ["a rule of the resource that does not", [root("status.exists()")], {}, ["invariant Observation"]],
  ["an answer that is not a yes", [root("status")], { status: "final" }, ["invariant Observation"]],
  ["no answer", [root("status.where(false)")], { status: "final" }, ["invariant Observation"]],
  ["several answers", [root("status.exists().combine(true)")], { status: "final" }, ["invariant Observation"]],
  [
    "a rule that ends in an error",
    [root("component.single().exists()")],
    { component: [{}, {}] },
    ["invariant Observation"],
  ],
  [
    "a rule that cannot be evaluated",
    [root("status.toInteger() + status.first() > 1")],
    { status: "x" },
    ["invariant Observation"],
  ],
  [
    "a rule of an element, item by item",
    [at("Observation.component", BACKBONE, "value.exists()")],
    { component: [{ valueString: "x" }, { valueQuantity: {} }, {}] },
    ["invariant Observation.component[2]"],
  ],
  [
    "a rule of a data type",
    [at("Observation.value[x]", [type("Quantity")], "code.empty() or system.exists()")],
    { valueQuantity: { code: "g" } },
    ["invariant Observation.value"],
  ],
  ["a choice of one type", [EFFECTIVE], { effectiveDateTime: "2020" }, ["invariant Observation.effective"]],
  ["a choice of another type", [EFFECTIVE], { effectivePeriod: {} }, []],
  [
    "the resource around",
    [at("Observation.component", BACKBONE, "%resource.status = 'final'")],
    { status: "final", component: [{}] },
    [],
  ],
  [
    "the resource around, which is another",
    [at("Observation.component", BACKBONE, "%resource.status = 'final'")],
    { status: "x", component: [{}] },
    ["invariant Observation.component[0]"],
  ],
  [
    "an empty element",
    [at("Observation.component", BACKBONE, "hasValue() or (children().count() > id.count())")],
    { component: [{ id: "x" }, { code: {} }] },
    ["invariant Observation.component[0]"],
  ],
  [
    "an extension with a value and extensions",
    [at("Observation.extension", [type("Extension")], "extension.exists() != value.exists()")],
    { extension: [{ url: "a", valueCode: "x" }, { extension: [] }, { valueCode: "x", extension: [] }, {}] },
    ["invariant Observation.extension[2]", "invariant Observation.extension[3]"],
  ],
  [
    "contained in contained",
    [root("contained.contained.empty()")],
    { contained: [{ contained: [] }] },
    ["invariant Observation"],
  ],
  [
    "contained with a security label",
    [root("contained.meta.security.empty()")],
    { contained: [{ meta: { security: [] } }] },
    ["invariant Observation"],
  ],
];

describe("invariants of a profile", () => {
  it.each(ROWS)("%s", (_what, elements, fields, expected) => {
    expect(judge(elements, fields)).toEqual(expected);
  });

  const DOM_3 =
    "contained.where((('#'+id in (%resource.descendants().reference | %resource.descendants().as(canonical) | %resource.descendants().as(uri) | %resource.descendants().as(url))) or descendants().where(reference = '#').exists() or descendants().where(as(canonical) = '#').exists() or descendants().where(as(canonical) = '#').exists()).not()).trace('unmatched', id).empty()";

  it.each([
    ["is referred to", { subject: { reference: "#p" }, contained: [{ id: "p" }] }, []],
    ["refers to its container", { contained: [{ id: "p", subject: { reference: "#" } }] }, []],
    ["stands alone", { subject: { reference: "#q" }, contained: [{ id: "p" }] }, ["invariant Observation"]],
  ])("what is contained %s (dom-3)", (_what, fields, expected) => {
    expect(judge([root(DOM_3)], fields)).toEqual(expected);
  });

  it("names the rule, not the value", () => {
    const validator = compile(root("status = 'final'"));
    expect(validator.validate({ resourceType: "Observation", status: "s3cret" }, validator.urls)).toEqual([
      {
        severity: "error",
        issue: "invariant",
        detail: "The profile's rule x-1 does not hold here.",
        expression: "Observation",
      },
    ]);
  });

  it("writes nothing to the console, whatever an expression traces (A14)", () => {
    const spies = (["log", "info", "warn", "error", "debug"] as const).map((name) => vi.spyOn(console, name));
    expect(judge([root("status.trace('status').exists()")], { status: "s3cret" })).toEqual([]);
    for (const spy of spies) {
      expect(spy).not.toHaveBeenCalled();
      spy.mockRestore();
    }
  });

  it("leaves the resource as it was", () => {
    const resource = deepFreeze({ resourceType: "Observation", component: [{ valueString: "x" }] });
    const validator = compile(
      at("Observation.component", BACKBONE, "value.exists() and %resource.component.count() = 1"),
    );
    expect(errorsOf(validator, resource)).toEqual([]);
  });

  it("gives up in the middle of a rule when the time is over, and that is no pass (S12)", () => {
    const expensive = "component.code.where(coding.intersect(%resource.code.coding).exists()).empty()";
    const element: Element = { id: "Observation.note", ...rule(`%resource.${expensive}`) };
    const validator = compiled([element], { options: { budgetMs: 50 } });
    const many = (letter: string): object[] => Array.from({ length: 3000 }, (_, i) => ({ code: `${letter}${i}` }));
    const resource = {
      resourceType: "Observation",
      note: [{}],
      code: { coding: many("a") },
      component: many("b").map((coding) => ({ code: { coding: [coding] } })),
    };
    const before = performance.now();
    expect(errorsOf(validator, resource)).toEqual(["too-costly Observation"]);
    expect(performance.now() - before).toBeLessThan(2000);
    expect(errorsOf(validator, { resourceType: "Observation", note: [{}] })).toEqual([]);
  });

  it.each([
    "status.matches('(a+)+$')",
    "status.`matches`('a')",
    "name.replaceMatches('a', 'b').exists()",
    "(true).iif(status.matchesFull('a'), true)",
  ])("refuses %s, when the profile is compiled (S10)", (expression) => {
    expect(() => compile(root(expression))).toThrow(
      expect.objectContaining({ issues: [expect.objectContaining({ code: "invariant-regular-expression" })] }),
    );
  });

  it("refuses what is not FHIRPath, when the profile is compiled", () => {
    expect(() => compile(root("status.exists("))).toThrow(
      expect.objectContaining({ issues: [expect.objectContaining({ code: "invariant-syntax" })] }),
    );
  });

  it.each([
    ["subject.resolve().exists()", "unsupported-function"],
    ["code.memberOf('https://example.org/ValueSet/x')", "unsupported-function"],
    ["conformsTo('https://example.org/StructureDefinition/x')", "unsupported-function"],
    ["text.`div`.htmlChecks()", "unsupported-function"],
    ["%terminologies.exists()", "unsupported-function"],
    ["%`vs-x`.exists()", "unsupported-function"],
    [undefined, "no-expression"],
  ])("skips %s, and tells the operator", (expression, reason) => {
    const validator = compiled([{ id: "Observation.note", ...rule(expression) }]);
    expect(validator.skipped).toEqual([
      { profile: validator.urls[0], element: "Observation.note", rule: "x-1", reason },
    ]);
    expect(errorsOf(validator, { resourceType: "Observation", note: [{}] })).toEqual([]);
  });

  it("tells of best practice, and refuses nothing for it", () => {
    const validator = compiled([{ id: "Observation.note", ...rule("text.exists()", { severity: "warning" }) }]);
    const resource = { resourceType: "Observation", note: [{}, { text: "x" }] };
    expect(errorsOf(validator, resource)).toEqual([]);
    expect(validator.validate(resource, [URL_OF_TEST])).toEqual([
      {
        severity: "warning",
        issue: "invariant",
        detail: "The profile's rule x-1 does not hold here.",
        expression: "Observation.note[0]",
      },
    ]);
    const many = { resourceType: "Observation", note: Array.from({ length: 500 }, () => ({})) };
    expect(validator.validate(many, [URL_OF_TEST])).toHaveLength(32);
  });

  it("S10: leaves advice out that would run a regular expression, where a rule so written stops the start", () => {
    const validator = compiled([
      { id: "Observation.note", ...rule("text.matches('(a+)+$')", { severity: "warning" }) },
    ]);
    expect(validator.skipped).toMatchObject([{ rule: "x-1", reason: "unsupported-function" }]);
  });
});

function deepFreeze<Value>(value: Value): Value {
  if (typeof value === "object" && value !== null) {
    Object.freeze(value);
    for (const part of Object.values(value)) deepFreeze(part);
  }
  return value;
}
