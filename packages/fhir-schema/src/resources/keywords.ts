import { _, type Code, type CodeKeywordDefinition, type KeywordCxt, type KeywordErrorDefinition } from "ajv";
import { codeList } from "./codes.ts";
import { elementsCode, elementsError } from "./elements.ts";

/** Checks a node by name, with the `Run` as `this`. Made by the engine, which compiles what a value first needs. */
export type NodeCheck = (data: unknown) => boolean;

/** The fault names an element of the definitions. */
const named: KeywordErrorDefinition = {
  message: "",
  params: ({ params }) => _`{rule: "required", name: ${params["name"]}}`,
};

/** The rules of R4's JSON that JSON Schema has no words for. */
export function fhirKeywords(nodeCheck: (name: string) => NodeCheck): readonly CodeKeywordDefinition[] {
  const enter = (cxt: KeywordCxt): Code => {
    const check = cxt.gen.scopeValue("keyword", { ref: nodeCheck(String(cxt.schema)) });
    return _`${check}.call(this, ${cxt.data})`;
  };
  return [
    // Read by fhirElements.
    { keyword: "fhirChoices", code: () => undefined },
    { keyword: "fhirNode", code: (cxt) => descend(cxt, enter(cxt)) },
    { keyword: "fhirNodeOrNull", code: (cxt) => descend(cxt, _`(${cxt.data} === null || ${enter(cxt)})`) },
    { keyword: "fhirResource", code: (cxt) => descend(cxt, _`this.enterResource(${cxt.data}, ${String(cxt.schema)})`) },
    { keyword: "fhirList", type: "array", code: (cxt) => cxt.fail(_`${cxt.data}.length > this.limits.maxArrayLength`) },
    {
      keyword: "fhirAligned",
      type: "array",
      code: (cxt) => cxt.fail(_`!${shared(cxt, aligned)}(${cxt.data}, ${partner(cxt)})`),
    },
    { keyword: "fhirCoded", code: (cxt) => cxt.fail(_`!${shared(cxt, codedBy(String(cxt.schema)))}(${cxt.data})`) },
    { keyword: "fhirElements", type: "object", error: elementsError, trackErrors: true, code: elementsCode },
    // After the elements: what is wrong further in is told too.
    { keyword: "fhirRequired", type: "object", error: named, code: required },
  ];
}

/** A child's faults are recorded by the run: the schema at hand goes on with the child's siblings. */
function descend({ gen, it }: KeywordCxt, passes: Code): void {
  gen.if(_`!${passes}`, () => gen.code(_`this.within(${it.errorPath})`));
}

const shared = ({ gen }: KeywordCxt, ref: object) => gen.scopeValue("keyword", { ref });

function partner({ it, schema }: KeywordCxt): Code {
  return _`${it.parentData}[${String(schema)}]`;
}

/** Required elements; a primitive may be given by its extensions alone. */
function required(cxt: KeywordCxt): void {
  for (const { name, primitive } of cxt.schema as readonly { name: string; primitive: boolean }[]) {
    cxt.setParams({ name: _`${name}` });
    const missing = _`${cxt.data}[${name}] === undefined`;
    cxt.fail(primitive ? _`${missing} && ${cxt.data}[${`_${name}`}] === undefined` : missing);
  }
}

/**
 * Whether each place of a primitive array holds a value or extensions, and both arrays end together.
 *
 * @see https://hl7.org/fhir/R4/json.html#primitive
 */
function aligned(values: readonly unknown[], others: unknown): boolean {
  if (others === undefined) return !values.includes(null);
  if (!Array.isArray(others) || others.length !== values.length) return false;
  return values.every((value, index) => value !== null || others[index] !== null);
}

/** Whether one coding of a CodeableConcept is in a closed list. */
function codedBy(list: string): (concept: unknown) => boolean {
  const codes = new Set(codeList(list));
  return (concept) => {
    const { coding } = Object(concept) as { readonly coding?: unknown };
    if (!Array.isArray(coding)) return false;
    return coding.some((each: unknown) => {
      const { system, code } = Object(each) as { readonly system?: unknown; readonly code?: unknown };
      return codes.has(`${String(system)}|${String(code)}`);
    });
  };
}
