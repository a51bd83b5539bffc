import { Ajv } from "ajv";
import { fhirKeywords, type NodeCheck } from "./keywords.ts";
import { choiceNames } from "./nodes.ts";
import { PRIMITIVES } from "./primitives.ts";
import type { CompiledNode, Run } from "./run.ts";
import { nodeSchema } from "./schema.ts";

/** Compiled nodes by name: each is compiled once, when first needed. */
export type Engine = (node: string) => CompiledNode;

/** Rule S10: no `$data`, no `allErrors`, no remote schemas, and no pattern but our own. */
export function createEngine(): Engine {
  const ajv = new Ajv({
    allErrors: false,
    allowUnionTypes: true,
    strictTypes: false,
    addUsedSchema: false,
    validateSchema: false,
    messages: false,
    logger: false,
    meta: false,
  });
  const nodes = new Map<string, CompiledNode>();
  const checks = new Map<string, NodeCheck>();

  for (const [name, primitive] of PRIMITIVES) {
    if (primitive.json === "string") ajv.addFormat(name, { type: "string", validate: primitive.check });
    if (primitive.json === "number") ajv.addFormat(name, { type: "number", validate: primitive.check });
  }
  for (const keyword of fhirKeywords(checkOf)) ajv.addKeyword(keyword);

  function compiled(name: string): CompiledNode {
    const known = nodes.get(name);
    if (known !== undefined) return known;
    const made: CompiledNode = Object.assign(ajv.compile(nodeSchema(name)), { choices: choiceNames(name) });
    nodes.set(name, made);
    return made;
  }

  function checkOf(name: string): NodeCheck {
    const known = checks.get(name);
    if (known !== undefined) return known;
    let node: CompiledNode | undefined;
    function check(this: Run, data: unknown): boolean {
      node ??= compiled(name);
      return this.enter(node, data);
    }
    checks.set(name, check);
    return check;
  }

  return compiled;
}
