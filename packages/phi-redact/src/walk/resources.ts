import type { Json } from "@wardline/policy-types/express";
import { encrypted } from "../actions/act.ts";
import { maskedElement } from "../actions/masked.ts";
import { isPrimitiveType } from "../definitions.ts";
import type { State } from "../profile/steps.ts";
import { isObject, type JsonObject } from "../values.ts";
import { MASKED, NOTICED, REMOVED, type Tools, UnjudgeableError, type Walk } from "./context.ts";
import { walkObject } from "./elements.ts";
import { label } from "./labels.ts";

/**
 * Applies a profile to a resource, whatever it holds: contained resources, entries of a Bundle, parameters. Gives the
 * resource itself when nothing changes; undefined when it may not leave.
 *
 * The input is never changed. Throws for what is no resource of R4: it cannot be judged, so it must not be sent (S12).
 */
export function redactResource(resource: JsonObject, tools: Tools): JsonObject | undefined {
  // Member by member: what is spread has another shape each time, and every look at it would be slow.
  return walkResource(resource, false, {
    machine: tools.machine,
    pseudonymiser: tools.pseudonymiser,
    cipher: tools.cipher,
    now: tools.now,
    smallAreas: tools.smallAreas,
    fateOf: tools.fateOf,
    isNoticed: tools.isNoticed,
    onNotice: tools.onNotice,
    withholds: tools.withholds,
    isWithheld: tools.isWithheld,
    isSilenced: tools.isSilenced,
    probes: tools.probes,
    hidesTotals: tools.hidesTotals,
    hidesAbsence: tools.hidesAbsence,
    object: walkObject,
    resource: walkResource,
    effects: 0,
    path: [],
    isTracked: tools.cipher !== undefined,
    resourceType: "",
    id: undefined,
    system: undefined,
  });
}

/** One resource inside or outside of others. Contained resources carry no labels of their own: their container does. */
function walkResource(resource: JsonObject, isContained: boolean, walk: Walk): JsonObject | undefined {
  const type = resource["resourceType"];
  const state = typeof type === "string" ? walk.machine.root(type) : undefined;
  if (typeof type !== "string" || state === undefined) throw new UnjudgeableError("not a resource of R4");
  const fate = state === "drop" ? "drop" : walk.withholds ? walk.fateOf(resource) : "keep";
  if (state === "drop" || fate === "drop") {
    walk.effects |= isContained ? REMOVED : 0;
    return undefined;
  }
  if (isContained) return fate === "keep" ? walkObject(resource, state, walk) : stub(resource, state, "redact", walk);

  const { effects, resourceType, id } = walk;
  const path = walk.isTracked ? walk.path.splice(0) : walk.path;
  walk.effects = 0;
  walk.resourceType = type;
  walk.id = walk.isTracked || fate !== "keep" ? leavingId(resource, type, walk) : undefined;
  const after = fate === "keep" ? walkWhole(resource, state, walk) : stub(resource, state, fate, walk);
  if (fate === "keep" && walk.withholds && walk.isNoticed(resource)) {
    walk.effects |= NOTICED;
    walk.onNotice();
  }
  const isChanged = after !== undefined && (after !== resource || (walk.effects & NOTICED) !== 0) && walk.effects !== 0;
  // What changed is a copy, and ours to write to.
  const done = isChanged && !UNLABELLED.has(type) ? label(after, walk.effects, after === resource) : after;
  walk.effects = effects;
  if (walk.isTracked) walk.path.push(...path);
  walk.resourceType = resourceType;
  walk.id = id;
  return done;
}

/** They carry others' resources, which are labelled themselves. */
const UNLABELLED: ReadonlySet<string> = new Set(["Bundle", "OperationOutcome", "Parameters"]);

function walkWhole(resource: JsonObject, state: State, walk: Walk): JsonObject | undefined {
  if (state.type === "Bundle") return walkObject(judgedBundle(resource, walk), state, walk);
  if (!walk.withholds || !walk.isSilenced(resource)) return walkObject(resource, state, walk);
  const silent = withoutNarratives(resource) as JsonObject;
  if (silent !== resource) walk.effects |= REMOVED;
  return walkObject(silent, state, walk);
}

/** R4 narrative.html: whoever wrote it may have put anything of the resources it refers to into words. */
function withoutNarratives(node: Json): Json {
  if (Array.isArray(node)) {
    const after = node.map(withoutNarratives);
    return after.some((one, at) => one !== node[at]) ? after : node;
  }
  if (!isObject(node)) return node;
  const kept = Object.entries(node).filter(([name, value]) => !(name === "text" && isObject(value) && "div" in value));
  const after = kept.map(([name, value]): [string, Json] => [name, withoutNarratives(value)]);
  const isSame = after.length === Object.keys(node).length && after.every(([name, value]) => value === node[name]);
  return isSame ? node : Object.fromEntries(after);
}

function leavingId({ id }: JsonObject, type: string, { machine, pseudonymiser }: Walk): string | undefined {
  const state = machine.root(type);
  const step = state === undefined || state === "drop" ? undefined : machine.step(state, "id");
  if (typeof id !== "string" || step === undefined || step.kind === "drop") return undefined;
  return step.kind === "act" && step.action === "pseudonymise" ? pseudonymiser?.pseudonymOf(type, id) : id;
}

/**
 * Entries are judged before the Bundle's own elements, because an entry goes with its resource, and the total with it: a
 * count tells how many there were (A9). Answers to a batch keep their places.
 */
function judgedBundle(bundle: JsonObject, walk: Walk): JsonObject {
  const { entry, type } = bundle;
  const maySplit = walk.withholds || walk.machine.hidesTypes || walk.hidesAbsence;
  const after = maySplit && Array.isArray(entry) ? judgedEntries(entry, type, walk) : entry;
  const hidesTotal = "total" in bundle && (walk.hidesTotals || lengthOf(after) < lengthOf(entry));
  if (after === entry && !hidesTotal) return bundle;
  // Not copied and deleted from: engines are slow with what remains.
  const copy: JsonObject = {};
  for (const name in bundle) {
    if (name === "entry") {
      if (lengthOf(after) > 0) copy[name] = after as Json;
    } else if (!(name === "total" && hidesTotal) && name !== "__proto__") copy[name] = bundle[name] as Json;
  }
  return copy;
}

function judgedEntries(entries: Json[], type: Json | undefined, walk: Walk): Json[] {
  const isAnswer = type === "batch-response" || type === "transaction-response";
  let copy: Json[] | undefined;
  for (let index = 0; index < entries.length; index++) {
    const entry = entries[index] as Json;
    const after = judgedEntry(entry, isAnswer, walk);
    if (after !== entry) copy ??= entries.slice(0, index);
    if (copy !== undefined && after !== undefined) copy.push(after);
  }
  return copy ?? entries;
}

function lengthOf(value: Json | undefined): number {
  return Array.isArray(value) ? value.length : 0;
}

function judgedEntry(entry: Json, isAnswer: boolean, walk: Walk): Json | undefined {
  if (!isObject(entry)) return undefined;
  const { resource, response } = entry;
  if (isAnswer && walk.hidesAbsence && isObject(response) && tellsAbsence(response["status"])) return notThere();
  if (!isObject(resource) || mayLeave(resource, walk)) return entry;
  return isAnswer ? notThere() : undefined;
}

/** R4: "the status code SHALL start with a 3 digit HTTP code". */
function tellsAbsence(status: Json | undefined): boolean {
  return typeof status === "string" && /^(?:404|410)(?!\d)/.test(status);
}

/** What is withheld, absent or deleted (A9). */
function notThere(): JsonObject {
  return { response: { status: "404" } };
}

function mayLeave(resource: JsonObject, walk: Walk): boolean {
  const type = resource["resourceType"];
  const state = typeof type === "string" ? walk.machine.root(type) : undefined;
  if (state === undefined) throw new UnjudgeableError("not a resource of R4");
  return state !== "drop" && walk.fateOf(resource) !== "drop";
}

/** Says that there is such a resource and nothing of what is in it, in clear. Its labels would tell. */
function stub(resource: JsonObject, state: State, fate: "redact" | "encrypt", walk: Walk): JsonObject {
  const made: JsonObject = { resourceType: resource["resourceType"] ?? null };
  if (walk.id !== undefined && state.type === walk.resourceType) made["id"] = walk.id;
  else if (typeof resource["id"] === "string") made["id"] = resource["id"];
  for (const name of Object.keys(resource)) {
    const element = state.elements.get(name);
    if (element === undefined || NOT_CONTENT.has(name)) continue;
    const value = resource[name] as Json;
    const seals = fate === "encrypt" && element.type !== "Resource" && name !== "text";
    if (!seals && !state.required.some((names) => names.includes(name))) continue;
    walk.path.push(name);
    const place = (item: Json): Json => (seals ? (encrypted(item, walk).element ?? null) : maskedElement());
    made[isPrimitiveType(element.type) ? `_${name}` : name] = Array.isArray(value) ? value.map(place) : place(value);
    walk.path.pop();
  }
  walk.effects |= REMOVED | MASKED;
  return made;
}

const NOT_CONTENT: ReadonlySet<string> = new Set(["resourceType", "id", "meta", "implicitRules", "language"]);
