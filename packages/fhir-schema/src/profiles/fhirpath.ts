import { createRequire } from "node:module";
import type { Evaluator } from "./rules.ts";

/** A node of a parsed expression, as far as it is read here. */
export interface PathNode {
  readonly type?: string;
  readonly text?: string;
  readonly children?: readonly PathNode[];
}

/** What the package `fhirpath` is used for. */
interface Engine {
  parse(expression: string): PathNode;
  compile(
    path: string | { readonly base: string; readonly expression: string },
    model: object,
    options: { readonly async: false; readonly traceFn: () => void },
  ): (focus: unknown, environment: Readonly<Record<string, unknown>>) => unknown;
}

/** Parses and compiles FHIRPath over R4. */
export interface FhirPath {
  /** Throws on bad syntax. */
  parse(expression: string): PathNode;
  /** `base`: the type or place of what is judged; absent for a resource. */
  compile(expression: string, base: string | undefined): Evaluator;
}

/**
 * The FHIRPath engine, if the package `fhirpath` is installed. Loaded when the first invariant asks for it: validation
 * without profiles neither needs nor loads it.
 *
 * @see docs/adr/0006-profiles-are-compiled-here-fhirpath-is-borrowed.md
 */
export function loadFhirPath(): FhirPath | undefined {
  const require = createRequire(import.meta.url);
  let engine: Engine;
  let model: object;
  try {
    engine = require("fhirpath") as Engine;
    model = require("fhirpath/fhir-context/r4") as object;
  } catch {
    return undefined;
  }
  return {
    parse: (expression) => engine.parse(expression),
    compile(expression, base) {
      const evaluate = engine.compile(base === undefined ? expression : { base, expression }, model, QUIET);
      return (focus, { resource, root }) => {
        const answer = evaluate(focus, { resource, rootResource: root });
        // An invariant holds when it says so: nothing, or several answers, is not a yes.
        return Array.isArray(answer) && answer.length === 1 && answer[0] === true;
      };
    },
  };
}

/** `trace()` of the engine writes what it is given to the console, which would be a patient's data (A14). */
const QUIET = Object.freeze({ async: false as const, traceFn: () => undefined });
