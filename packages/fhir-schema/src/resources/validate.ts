import { isResourceType } from "@wardline/fhir-r4";
import { errorsFirst, type SchemaIssue } from "../issues.ts";
import { createEngine, type Engine } from "./engine.ts";
import type { ExampleFaultsMode } from "./example-faults.ts";
import { issueOf } from "./findings.ts";
import { nodesWithin } from "./nodes.ts";
import { Run, type RunLimits } from "./run.ts";

export interface ResourceLimits {
  /** Issues told at most. Default 20. */
  readonly maxIssues?: number;
  /** Elements within elements, resources within resources. Default 64. */
  readonly maxDepth?: number;
  /** Entries of one array. Default 50000. */
  readonly maxArrayLength?: number;
  /** What examples published with R4 do though R4 forbids it. Default `report`: told as a warning. */
  readonly exampleFaults?: ExampleFaultsMode;
}

/** What the URL names. */
export interface Named {
  readonly type?: string | undefined;
  readonly id?: string | undefined;
}

const DEFAULTS: RunLimits = { maxIssues: 20, maxDepth: 64, maxArrayLength: 50_000, exampleFaults: "report" };

/** Made at first use. It remembers compiled definitions of R4 and nothing of any resource. */
let engine: Engine | undefined;

/**
 * What keeps a parsed resource from being well-formed R4: unknown elements, cardinalities, types, forms of primitives, closed
 * code lists, choices, empty objects and arrays, nulls, alignment of `_element`s, narratives, references, and the type and id
 * the URL names. The resource is well-formed when no issue is an error; warnings tell what R4 forbids and examples published
 * with it do (`exampleFaults`). Total: never throws.
 *
 * Each object is judged to its first fault and its siblings go on, up to `maxIssues`. Does NOT see duplicate keys (they are
 * gone once the text is parsed), and does NOT check invariants, profiles, open code lists or whether references lead anywhere.
 *
 * @see https://hl7.org/fhir/R4/json.html
 */
export function validateResource(resource: unknown, limits: ResourceLimits & Named = {}): readonly SchemaIssue[] {
  engine ??= createEngine();
  const run = new Run(
    {
      maxIssues: positive(limits.maxIssues, DEFAULTS.maxIssues),
      maxDepth: positive(limits.maxDepth, DEFAULTS.maxDepth),
      maxArrayLength: positive(limits.maxArrayLength, DEFAULTS.maxArrayLength),
      exampleFaults: limits.exampleFaults ?? DEFAULTS.exampleFaults,
    },
    engine,
  );
  try {
    run.enterResource(resource);
    compareWithUrl(run, resource, limits);
  } catch {
    // S10: whatever a hostile object does while it is read is a finding, not an error.
    run.fail(0, "exception");
  }
  if (run.faults.length === 0) return [];
  const type = typeOf(resource);
  return errorsFirst(run.faults.map((fault) => issueOf(type, fault))).slice(0, run.limits.maxIssues);
}

/** A limit that is none is the default: it must not switch a check off. */
function positive(limit: number | undefined, fallback: number): number {
  return limit !== undefined && limit >= 1 ? limit : fallback;
}

function compareWithUrl(run: Run, resource: unknown, url: Named): void {
  const { resourceType, id } = Object(resource) as { readonly resourceType?: unknown; readonly id?: unknown };
  if (url.type !== undefined && resourceType !== url.type) run.fail(0, "otherType");
  if (url.id !== undefined && id !== url.id) run.fail(0, id === undefined ? "idMissing" : "otherId", "/id");
}

/** The root of every expression: only a name the definitions hold. */
function typeOf(resource: unknown): string {
  try {
    const { resourceType } = Object(resource) as { readonly resourceType?: unknown };
    return typeof resourceType === "string" && isResourceType(resourceType) ? resourceType : "Resource";
  } catch {
    return "Resource";
  }
}

/**
 * Compiles what resources of these types are made of ahead of their first use: the types, their elements and datatypes, save
 * what only an extension's value needs. Unknown types are passed over.
 */
export function prepare(types: readonly string[]): void {
  engine ??= createEngine();
  for (const node of nodesWithin(types.filter(isResourceType))) engine(node);
}
