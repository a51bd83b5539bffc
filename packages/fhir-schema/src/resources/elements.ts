import { _, type Code, type KeywordCxt, type KeywordErrorDefinition, type Name } from "ajv";

/** A choice element: the names it can appear under, one for each type. */
interface Choice {
  readonly name: string;
  readonly names: readonly string[];
  readonly required: boolean;
}

/** What the loop over the properties knows: names of variables in the code that is being written. */
interface Loop {
  readonly cxt: KeywordCxt;
  readonly key: Name;
  /** The rule that is broken, and the element it is about. */
  readonly fault: Name;
  readonly about: Name;
  readonly choices: readonly (Choice & { readonly given: Name })[];
}

export const elementsError: KeywordErrorDefinition = {
  message: "",
  params: ({ params }) => _`{rule: ${params["fault"]}, name: ${params["about"]}}`,
};

/**
 * The keyword `fhirElements`: every property of an object is found once, by its length and then its name, and judged by its
 * schema. A property R4 does not define is a fault, as are an object without properties and a choice given in two types.
 */
export function elementsCode(cxt: KeywordCxt): void {
  const { gen, data, it, errsCount } = cxt;
  const fault = gen.let("fault", _`"empty"`);
  const about = gen.let("about");
  const choices = (it.schema["fhirChoices"] as readonly Choice[]).map((choice) => ({
    ...choice,
    given: gen.let("given"),
  }));

  gen.forIn("key", data, (key) => {
    gen.assign(fault, _`undefined`);
    const loop = { cxt, key, fault, about, choices };
    const names = Object.keys(cxt.schema as object);
    const lengths = [...new Set(names.map((name) => name.length))];
    firstOf(
      loop,
      lengths,
      (length) => _`${key}.length === ${length}`,
      (length) => {
        const alike = names.filter((name) => name.length === length);
        firstOf(
          loop,
          alike,
          (name) => _`${key} === ${name}`,
          (name) => judge(loop, name),
        );
      },
    );
  });
  for (const { name, given } of choices.filter(({ required }) => required)) {
    gen.if(_`${fault} === undefined && ${given} === undefined`, () => {
      gen.assign(fault, _`"required"`);
      gen.assign(about, _`${name}`);
    });
  }
  cxt.setParams({ fault, about });
  gen.if(_`${fault} !== undefined && ${errsCount} === errors`, () => cxt.error());
  cxt.ok(_`${errsCount} === errors`);
}

/** `if … else if … else`: what none of the tests knows is a fault. */
function firstOf<Case>(
  loop: Loop,
  cases: readonly Case[],
  test: (each: Case) => Code,
  then: (each: Case) => void,
): void {
  const { gen } = loop.cxt;
  for (const [index, each] of cases.entries()) {
    if (index === 0) gen.if(test(each));
    else gen.elseIf(test(each));
    then(each);
  }
  gen.else();
  gen.assign(loop.fault, _`"unknown"`).break();
  gen.endIf();
}

function judge(loop: Loop, name: string): void {
  const { gen } = loop.cxt;
  for (const choice of loop.choices) {
    const type = choice.names.indexOf(name.startsWith("_") ? name.slice(1) : name);
    if (type === -1) continue;
    gen.if(_`${choice.given} !== undefined && ${choice.given} !== ${type}`, () => {
      gen.assign(loop.fault, _`"choice"`).assign(loop.about, _`${choice.name}`).break();
    });
    gen.assign(choice.given, type);
  }
  const valid = gen.name("valid");
  loop.cxt.subschema({ keyword: "fhirElements", schemaProp: name, dataProp: name }, valid);
  gen.if(_`!${valid}`, () => gen.break());
}
