/** A path to the elements a search parameter reads, walked without a FHIRPath engine. */
export interface ElementPath {
  readonly steps: readonly ElementStep[];
  /** Datatype of the elements at the end. */
  readonly leaf: string;
  /** Only references to this resource type count. */
  readonly only?: string;
}

interface ElementStep {
  readonly name: string;
  /** Only members whose `key` is `value`: `telecom[system=email]`. */
  readonly where?: { readonly key: string; readonly value: string };
}

/** Reads the notation of the generated tables: `telecom[system=email]@ContactPoint`, `subject>Patient`. */
export function parseElementPath(text: string): ElementPath {
  const [path = "", only] = text.split(">");
  const [dotted = "", leaf = "Reference"] = path.split("@");
  const steps = dotted.split(".").map(parseStep);
  return only === undefined ? { steps, leaf } : { steps, leaf, only };
}

function parseStep(text: string): ElementStep {
  const [name = "", filter] = text.split("[");
  if (filter === undefined) return { name };
  const [key = "", value = ""] = filter.slice(0, -1).split("=");
  return { name, where: { key, value } };
}

/**
 * Calls `visit` for every value at the end of the path. Only own properties are followed. Where the resource is no FHIR
 * (an array inside an array, text where an object belongs) `visit` gets an array, which no element ever is.
 */
export function visitElements<State>(
  resource: object,
  path: ElementPath,
  visit: (value: unknown, state: State, path: ElementPath) => void,
  state: State,
): void {
  descend(resource, path, 0, visit, state);
}

function descend<State>(
  node: unknown,
  path: ElementPath,
  depth: number,
  visit: (value: unknown, state: State, path: ElementPath) => void,
  state: State,
): void {
  const step = path.steps[depth];
  if (step === undefined) {
    visit(node, state, path);
    return;
  }
  if (!isRecord(node)) {
    if (node !== null && node !== undefined) visit(Array.isArray(node) ? node : [node], state, path);
    return;
  }
  if (!Object.hasOwn(node, step.name)) return;
  const value = node[step.name];
  if (!Array.isArray(value)) {
    if (passes(value, step)) descend(value, path, depth + 1, visit, state);
    return;
  }
  for (const member of value as readonly unknown[]) {
    if (passes(member, step)) descend(member, path, depth + 1, visit, state);
  }
}

/** What is no object cannot be filtered: it passes, and is found to be malformed further down. */
function passes(value: unknown, { where }: ElementStep): boolean {
  return (
    where === undefined || !isRecord(value) || (Object.hasOwn(value, where.key) && value[where.key] === where.value)
  );
}

/** An object that is no array. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

/** An own property, or undefined: `constructor` is nobody's element. */
export function own(value: Readonly<Record<string, unknown>>, name: string): unknown {
  const found = value[name];
  return found === undefined || Object.hasOwn(value, name) ? found : undefined;
}
