import { createRequire } from "node:module";
import { fhirNode } from "./elements.ts";
import { choiceNames } from "./nodes.ts";
import type { CompiledNode, NodeCheck, Run } from "./run.ts";

/** Compiled nodes by name: each is compiled once, when first needed. */
export type Engine = (node: string) => CompiledNode;

/**
 * Rule S10: no `$data`, no `allErrors`, no remote schemas, and no pattern but our own. Loads ajv.
 *
 * @see docs/adr/0013-validators-are-compiled-when-first-needed.md
 */
export function createEngine(): Engine {
  const { Ajv, _ } = createRequire(import.meta.url)("ajv") as typeof import("ajv");
  const ajv = new Ajv({
    allErrors: false,
    addUsedSchema: false,
    validateSchema: false,
    messages: false,
    logger: false,
    meta: false,
    // Looks for variables that could be left out, which takes longer than V8 takes to do without.
    code: { optimize: false },
  });
  const nodes = new Map<string, CompiledNode>();
  const checks = new Map<string, NodeCheck>();
  ajv.addKeyword(fhirNode(_, (node, element) => (node === "Resource" ? resourceCheck(element) : checkOf(node))));

  function compiled(name: string): CompiledNode {
    const known = nodes.get(name);
    if (known !== undefined) return known;
    const made: CompiledNode = Object.assign(ajv.compile({ type: "object", fhirNode: name }), {
      choices: choiceNames(name),
    });
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

function resourceCheck(element: string): NodeCheck {
  return function check(this: Run, data: unknown): boolean {
    return this.enterResource(data, element);
  };
}
