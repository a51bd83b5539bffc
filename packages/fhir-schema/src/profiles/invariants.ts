import { isResourceType } from "@wardline/fhir-r4";
import type { Findings } from "@wardline/policy-types";
import type { ConstraintFacts, ElementFacts } from "./elements.ts";
import type { FhirPath, PathNode } from "./fhirpath.ts";
import { NATIVE_INVARIANTS } from "./native-invariants.ts";
import type { Evaluator, Invariant } from "./rules.ts";

/** How invariants are made ready, and where what cannot be judged is noted. */
export interface InvariantTools {
  readonly found: Findings;
  /** Asked for once, when an invariant needs it. */
  readonly engine: () => FhirPath | undefined;
  /** The same for what is only advised, which is left out where no engine is installed. */
  readonly engineIfThere: () => FhirPath | undefined;
  readonly skip: (elementId: string, rule: string, reason: "unsupported-function" | "no-expression") => void;
  readonly where: string;
}

/**
 * Makes the invariants of an element ready: each expression is parsed, vetted and compiled once.
 *
 * Refuses `matches()` and its kin, which run a backtracking regular expression over a patient's text (S10). Skips, and
 * notes, what needs the network or other resources: `resolve()`, `memberOf()`, `conformsTo()`.
 */
export function compileInvariants(
  element: ElementFacts,
  path: string,
  { found, engine, engineIfThere, skip, where }: InvariantTools,
  cache: Map<string, Evaluator>,
): readonly Invariant[] {
  return element.constraints.flatMap((constraint) => {
    const evaluators = new Map<string, Evaluator>();
    const place = `${where} (${element.id}, ${constraint.key})`;
    const advised = constraint.severity === "warning";
    const judged = judge(constraint, advised ? engineIfThere : engine);
    if (judged.kind === "skip") skip(element.id, constraint.key, judged.reason);
    else if (judged.kind === "refuse" && advised) skip(element.id, constraint.key, "unsupported-function");
    else if (judged.kind === "refuse") found.add(place, judged.code, judged.message);
    else {
      for (const [type, base] of basesOf(element, path)) {
        const known = `${base ?? ""} ${judged.expression}`;
        const evaluator = cache.get(known) ?? judged.compile(base);
        cache.set(known, evaluator);
        evaluators.set(type, evaluator);
      }
      return [{ key: constraint.key, severity: constraint.severity, evaluators }];
    }
    return [];
  });
}

type Judged =
  | { readonly kind: "compile"; readonly expression: string; compile(base: string | undefined): Evaluator }
  | { readonly kind: "skip"; readonly reason: "unsupported-function" | "no-expression" }
  | { readonly kind: "refuse"; readonly code: string; readonly message: string };

function judge({ expression }: ConstraintFacts, engine: InvariantTools["engine"]): Judged {
  if (expression === undefined) return { kind: "skip", reason: "no-expression" };
  const native = NATIVE_INVARIANTS.get(expression);
  if (native !== undefined) return { kind: "compile", expression, compile: () => native };
  const fhirPath = engine();
  if (fhirPath === undefined) return { kind: "skip", reason: "unsupported-function" };
  let parsed: PathNode;
  try {
    parsed = fhirPath.parse(expression);
  } catch {
    return { kind: "refuse", code: "invariant-syntax", message: "the invariant's expression is not FHIRPath" };
  }
  const used = functionsIn(parsed);
  if (used.some((name) => REGULAR_EXPRESSIONS.has(name)))
    return {
      kind: "refuse",
      code: "invariant-regular-expression",
      message:
        "matches() and replaceMatches() take time without bound: take the invariant out of the snapshot or rewrite it",
    };
  if (used.some((name) => !JUDGED.has(name))) return { kind: "skip", reason: "unsupported-function" };
  return { kind: "compile", expression, compile: (base) => fhirPath.compile(expression, base) };
}

/** By type of the judged element, what the engine is told it is. */
function basesOf({ types, id }: ElementFacts, path: string): readonly (readonly [string, string | undefined])[] {
  if (!id.includes(".")) return [["", isResourceType(path) ? undefined : path]];
  const data = types.filter(({ code }) => code !== "" && !BY_PLACE.has(code));
  if (data.length === 0) return [["", types.some(({ code }) => RESOURCES.has(code)) ? undefined : path]];
  return data.map(({ code }) => [code, code] as const);
}

const RESOURCES: ReadonlySet<string> = new Set(["Resource", "DomainResource"]);
const BY_PLACE: ReadonlySet<string> = new Set(["BackboneElement", "Element", ...RESOURCES]);

/** Functions and external constants by name, the constants with their percent sign. */
function functionsIn(node: PathNode): readonly string[] {
  const below = (node.children ?? []).flatMap(functionsIn);
  const name = (node.children?.[0]?.text ?? "").replaceAll("`", "");
  if (node.type === "Functn") return [name, ...below];
  return node.type === "ExternalConstant" ? [`%${name}`, ...below] : below;
}

const REGULAR_EXPRESSIONS: ReadonlySet<string> = new Set(["matches", "matchesFull", "replaceMatches"]);

/** What is judged: functions that read nothing but the resource, in time that grows with it. */
const JUDGED: ReadonlySet<string> = new Set(
  `empty exists all allTrue anyTrue allFalse anyFalse subsetOf supersetOf count distinct isDistinct where select repeat
   ofType single first last tail skip take intersect exclude union combine iif toBoolean convertsToBoolean toInteger
   convertsToInteger toDate convertsToDate toDateTime convertsToDateTime toDecimal convertsToDecimal toQuantity
   convertsToQuantity toString convertsToString toTime convertsToTime indexOf substring startsWith endsWith contains upper
   lower replace length toChars split join trim abs ceiling exp floor ln log power round sqrt truncate children descendants
   trace now timeOfDay today not as is hasValue getValue extension
   %resource %rootResource %context %ucum %sct %loinc`.split(/\s+/),
);
