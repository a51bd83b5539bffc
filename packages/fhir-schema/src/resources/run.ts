import { isResourceType } from "@wardline/fhir-r4";
import type { ErrorObject } from "ajv";
import type { ExampleFaultsMode } from "./example-faults.ts";

/** Something wrong. */
export interface Fault {
  /** Where, in names of elements: `/name/0/given`. */
  path: string;
  /** A key of the sentences in `findings.ts`. */
  readonly rule: string;
  /** The element it is about, when that is below `path`. */
  readonly name?: string;
  /** Told, and no reason to refuse. */
  readonly warning?: true;
}

export interface RunLimits {
  readonly maxIssues: number;
  readonly maxDepth: number;
  readonly maxArrayLength: number;
  readonly exampleFaults: ExampleFaultsMode;
}

/** A compiled node, called with the run as `this`. */
export interface CompiledNode {
  call(run: Run, data: unknown): boolean;
  readonly errors?: ErrorObject[] | null;
  /** The element each property of a choice stands for. */
  readonly choices: ReadonlyMap<string, string>;
}

/** Whether nothing is to tell of a node; the run records what is. */
export type NodeCheck = (this: Run, data: unknown) => boolean;

/** Turns the property a pointer begins with into its element: `/_valueString/id` is `/value/id`. */
function elementPath(pointer: string, choices: ReadonlyMap<string, string>): string {
  const end = pointer.indexOf("/", 1);
  const property = pointer.slice(pointer[1] === "_" ? 2 : 1, end === -1 ? undefined : end);
  return pointer === "" ? "" : `/${choices.get(property) ?? property}${end === -1 ? "" : pointer.slice(end)}`;
}

/** A resource as far as it was looked at. */
type Properties = Readonly<Record<string, unknown>>;

/**
 * One validation: what was found, and how deep it stands. Compiled schemas reach it as `this`. A node stops at its first
 * fault; its siblings are still looked at, until `maxIssues` were found.
 */
export class Run {
  readonly faults: Fault[] = [];
  readonly limits: RunLimits;
  readonly #compiled: (node: string) => CompiledNode;
  #depth = 0;
  /** How many faults there were before the node that has just failed. */
  #mark = 0;
  /** Counted apart, so that no number of warnings hides an error. */
  #warnings = 0;

  constructor(limits: RunLimits, compiled: (node: string) => CompiledNode) {
    this.limits = limits;
    this.#compiled = compiled;
  }

  /** Whether nothing is to tell of the node. */
  enter(node: CompiledNode, data: unknown): boolean {
    const before = this.faults.length;
    if (before - this.#warnings >= this.limits.maxIssues) return true;
    if (this.#depth >= this.limits.maxDepth) return this.fail(before, "depth");
    this.#depth++;
    if (!node.call(this, data)) this.#add(node.errors?.[0]);
    this.#depth--;
    if (this.faults.length === before) return true;
    this.#mark = before;
    for (const fault of this.faults.slice(before)) fault.path = elementPath(fault.path, node.choices);
    return false;
  }

  /** A resource within a resource, or the outermost one. `element` is where it stands: `contained`, `resource`. */
  enterResource(data: unknown, element?: string): boolean {
    const before = this.faults.length;
    if (before - this.#warnings >= this.limits.maxIssues) return true;
    if (typeof data !== "object" || data === null || Array.isArray(data)) return this.fail(before, "type");
    const { resourceType: type, contained } = data as Properties;
    if (type === undefined) return this.fail(before, "resourceType");
    if (typeof type !== "string" || !isResourceType(type)) return this.fail(before, "unknownType");
    if (element === "contained" && contained !== undefined) return this.fail(before, "contained");
    return this.enter(this.#compiled(type), data);
  }

  /** Whether as many errors were found as may be told. */
  get #isFull(): boolean {
    return this.faults.length - this.#warnings >= this.limits.maxIssues;
  }

  /** Records a fault of the data at hand, or of an element of it, and answers false. */
  fail(before: number, rule: string, path = ""): false {
    if (!this.#isFull) this.faults.push({ path, rule });
    this.#mark = before;
    return false;
  }

  /** Records what examples of R4 do and R4 forbids; whether that is an error, so that the node is judged no further. */
  exampleFault(rule: string, name: string): boolean {
    if (this.limits.exampleFaults === "refuse") return true;
    if (this.#warnings < this.limits.maxIssues) {
      this.faults.push({ path: "", rule, name, warning: true });
      this.#warnings++;
    }
    return false;
  }

  /** Puts where a failed node stands before the paths of its faults. */
  within(path: string): void {
    for (let index = this.#mark; index < this.faults.length; index++) {
      const fault = this.faults[index];
      if (fault !== undefined) fault.path = path + fault.path;
    }
  }

  #add(error: ErrorObject | undefined): void {
    const path = error?.instancePath ?? "";
    const { rule = error?.keyword ?? "type", name } = (error?.params ?? {}) as { rule?: string; name?: string };
    if (this.#isFull) return;
    this.faults.push(name === undefined ? { path, rule } : { path, rule, name });
  }
}
