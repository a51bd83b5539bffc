import type { Code, CodeKeywordDefinition, KeywordCxt, Name } from "ajv";
import { hasLongId, LEFT_OUT_BY_EXAMPLES } from "./example-faults.ts";
import { extensionsFault, nodesFault, valuesFault } from "./lists.ts";
import { type Choice, objectRule, type PropertyRule } from "./properties.ts";
import type { NodeCheck, Run } from "./run.ts";
import { codedBy, valueRule } from "./values.ts";

/** The tag ajv writes code with. It comes with the engine, so that nothing is loaded before a resource is judged. */
type Words = typeof import("ajv")._;

/** What the loop over the properties knows: names of variables in the code that is being written. */
interface Loop {
  readonly _: Words;
  readonly cxt: KeywordCxt;
  readonly key: Name;
  /** The rule that is broken, and the element it is about. */
  readonly fault: Name;
  readonly about: Name;
  readonly choices: readonly (Choice & { readonly given: Name })[];
  readonly checkOf: (node: string, element: string) => NodeCheck;
}

/**
 * The keyword `fhirNode`, which names a node of R4. Every property of an object is found once, by its length and then its
 * name, and judged at that spot. A property R4 does not define is a fault, as are an object without properties, a choice
 * given in two types, and a required element that is missing. The first fault ends the loop; what is wrong in nodes further
 * in is recorded by the run, and their siblings are still looked at.
 */
export function fhirNode(_: Words, checkOf: Loop["checkOf"]): CodeKeywordDefinition {
  return {
    keyword: "fhirNode",
    type: "object",
    error: { message: "", params: ({ params }) => _`{rule: ${params["fault"]}, name: ${params["about"]}}` },
    code(cxt) {
      const { gen, data } = cxt;
      const node = String(cxt.schema);
      const { properties, choices, required } = objectRule(node);
      const fault = gen.let("fault", _`"empty"`);
      const about = gen.let("about");
      const given = choices.map((choice) => ({ ...choice, given: gen.let("given") }));
      const lengths = [...new Set(properties.map(({ name }) => name.length))];
      gen.forIn("key", data, (key) => {
        gen.assign(fault, _`undefined`);
        const loop: Loop = { _, cxt, key, fault, about, choices: given, checkOf };
        firstOf(
          loop,
          lengths,
          (length) => _`${key}.length === ${length}`,
          (length) => {
            const alike = properties.filter(({ name }) => name.length === length);
            firstOf(
              loop,
              alike,
              ({ name }) => _`${key} === ${name}`,
              (property) => judge(loop, property),
            );
          },
        );
      });
      const demand = (missing: Code, name: string): void => {
        gen.if(_`${fault} === undefined && ${missing}`, () => {
          gen.assign(fault, _`"required"`).assign(about, _`${name}`);
        });
      };
      for (const choice of given.filter((each) => each.required)) demand(_`${choice.given} === undefined`, choice.name);
      for (const { name, primitive } of required) {
        const missing = _`${data}[${name}] === undefined`;
        const whole = primitive ? _`${missing} && ${data}[${`_${name}`}] === undefined` : missing;
        const known = LEFT_OUT_BY_EXAMPLES.has(`${node}.${name}`);
        demand(known ? _`${whole} && this.exampleFault("required", ${name})` : whole, name);
      }
      cxt.setParams({ fault, about });
      cxt.fail(_`${fault} !== undefined`);
    },
  };
}

/** `if … else if … else`: what none of the tests knows is a fault. */
function firstOf<Case>(
  { _, cxt: { gen }, fault }: Loop,
  cases: readonly Case[],
  test: (each: Case) => Code,
  then: (each: Case) => void,
): void {
  for (const [index, each] of cases.entries()) {
    if (index === 0) gen.if(test(each));
    else gen.elseIf(test(each));
    then(each);
  }
  gen.else();
  gen.assign(fault, _`"unknown"`).break();
  gen.endIf();
}

function judge(loop: Loop, property: PropertyRule): void {
  const { _, cxt, fault, about, checkOf } = loop;
  const { gen, data } = cxt;
  const { name, element } = property;
  const path = `/${name}`;
  const shared = (ref: object): Name => gen.scopeValue("keyword", { ref });
  const refuseIf = (broken: Code, rule: Code): void => {
    gen.if(broken, () => gen.assign(fault, rule).assign(about, _`${element}`).break());
  };
  const refuseFor = (listFault: (run: Run, list: unknown, others: unknown) => unknown, partner?: string): void => {
    const others = partner === undefined ? _`undefined` : _`${data}[${partner}]`;
    gen.assign(fault, _`${shared(listFault)}(this, ${value}, ${others})`);
    gen.if(_`${fault} !== undefined`, () => {
      gen.assign(about, _`${element} + ${fault}.place`).assign(fault, _`${fault}.rule`).break();
    });
  };

  oneTypeOf(loop, name);
  const value = gen.const("value", _`${data}[${name}]`);
  switch (property.kind) {
    case "resourceType":
      return refuseIf(_`${value} !== ${property.type}`, _`"const"`);
    case "value": {
      const { json, check, rule } = valueRule(property.primitive, property.codes);
      const isType = _`typeof ${value} === ${json}`;
      if (check === undefined) return refuseIf(_`!(${isType})`, _`"type"`);
      let broken = _`!(${isType} && ${shared(check)}(${value}))`;
      if (property.primitive === "reference") {
        const known = _`${isType} && ${shared(hasLongId)}(${value})`;
        broken = _`${broken} && !(${known} && !this.exampleFault("longId", ${element}))`;
      }
      return refuseIf(broken, _`${isType} ? ${rule} : "type"`);
    }
    case "values": {
      const rule = valueRule(property.primitive, property.codes);
      return refuseFor((run, list, others) => valuesFault(run, rule, list, others), property.partner);
    }
    case "extensions": {
      const check = checkOf("Element", element);
      return refuseFor((run, list, others) => extensionsFault(run, { list, others, path, check }), property.partner);
    }
    case "nodes": {
      const check = checkOf(property.node, element);
      const coded = property.codes === undefined ? undefined : codedBy(property.codes);
      return refuseFor((run, list) => nodesFault(run, { list, path, check, coded }));
    }
    case "node":
      gen.if(_`!${shared(checkOf(property.node, element))}.call(this, ${value})`, () => {
        gen.code(_`this.within(${path})`);
      });
      if (property.codes !== undefined) {
        refuseIf(_`!${shared(codedBy(property.codes))}(${value})`, _`"fhirCoded"`);
      }
  }
}

/** A choice is given in one type, in its value and its extensions alike. */
function oneTypeOf({ _, cxt: { gen }, fault, about, choices }: Loop, name: string): void {
  for (const choice of choices) {
    const type = choice.names.indexOf(name.startsWith("_") ? name.slice(1) : name);
    if (type === -1) continue;
    gen.if(_`${choice.given} !== undefined && ${choice.given} !== ${type}`, () => {
      gen.assign(fault, _`"choice"`).assign(about, _`${choice.name}`).break();
    });
    gen.assign(choice.given, type);
  }
}
