import { type Findings, join } from "@wardline/policy-types";
import type { Json } from "@wardline/policy-types/express";

/** A rule for JSON that is no FHIR. */
export interface JsonRule {
  /**
   * JSONPath-like: `$.patient.ssn`, `$.items[*].name`, `$..email`, `$.by_id.*.phone`. Arrays are looked into with or without
   * `[*]`; the case of names does not count.
   */
  readonly path: string;
  readonly action: "remove" | "mask" | "pseudonymise" | { readonly replace: Json };
}

/** Steps of a path; `deep` ones match at any depth below. */
export interface JsonStep {
  readonly name: string;
  readonly deep: boolean;
}

export interface JsonPathRule {
  readonly steps: readonly JsonStep[];
  readonly action: JsonRule["action"];
}

const PATH = /^\$(?:\.\.?(?:[A-Za-z_][\w-]*|\*)|\[\*\]|\.?\['[^']+'\])+$/;
const STEP = /(\.\.?)([A-Za-z_][\w-]*|\*)|\.?\['([^']+)'\]/g;

/** Reads the rules; what is wrong with them goes to `found`. */
export function parseJsonRules(rules: readonly JsonRule[], found: Findings, where: string): readonly JsonPathRule[] {
  return rules.flatMap(({ path, action }, index) => {
    if (!isAction(action)) {
      found.add(join(where, index), "invalid-action", "known actions are remove, mask, pseudonymise, { replace }");
    }
    if (!PATH.test(path)) {
      found.add(
        join(where, index),
        "invalid-path",
        "write a path as `$.name`, `$..name`, `$.list[*].name` or `$['a name']`",
      );
      return [];
    }
    const steps = [...path.matchAll(STEP)].map(([, dots, name, quoted]) => ({
      name: (name ?? quoted ?? "").toLowerCase(),
      deep: dots === "..",
    }));
    return steps.length === 0 ? [] : [{ steps, action }];
  });
}

function isAction(action: unknown): boolean {
  if (typeof action === "object" && action !== null) return "replace" in action;
  return action === "remove" || action === "mask" || action === "pseudonymise";
}
