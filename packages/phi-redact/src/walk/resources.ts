import type { Json } from "@wardline/policy-types/express";
import { encrypted } from "../actions/act.ts";
import { maskedElement } from "../actions/masked.ts";
import { isPrimitiveType } from "../definitions.ts";
import type { State } from "../profile/machine.ts";
import { isObject, type JsonObject } from "../values.ts";
import { MASKED, REMOVED, type Tools, UnjudgeableError, type Walk } from "./context.ts";
import { walkObject } from "./elements.ts";
import { label } from "./labels.ts";

/**
 * Applies a profile to a resource, whatever it holds: contained resources, entries of a Bundle, parameters. Gives the
 * resource itself when nothing changes; undefined when it may not leave.
 *
 * The input is never changed. Throws for what is no resource of R4: it cannot be judged, so it must not be sent (S12).
 */
export function redactResource(resource: JsonObject, tools: Tools): JsonObject | undefined {
  return walkResource(resource, false, {
    ...tools,
    object: walkObject,
    resource: walkResource,
    effects: 0,
    path: [],
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
  const fate = state === "drop" ? "drop" : walk.fateOf(resource);
  if (state === "drop" || fate === "drop") {
    walk.effects |= isContained ? REMOVED : 0;
    return undefined;
  }
  if (isContained) return fate === "keep" ? walkObject(resource, state, walk) : stub(resource, state, "redact", walk);

  const outer = { effects: walk.effects, path: walk.path.splice(0), resourceType: walk.resourceType, id: walk.id };
  walk.effects = 0;
  walk.resourceType = type;
  walk.id = leavingId(resource, type, walk);
  const after = fate === "keep" ? walkWhole(resource, state, walk) : stub(resource, state, fate, walk);
  // What changed is a copy, and ours to write to.
  const isChanged = after !== undefined && after !== resource && walk.effects !== 0;
  const done = isChanged && !UNLABELLED.has(type) ? label(after, walk.effects) : after;
  walk.effects = outer.effects;
  walk.path.push(...outer.path);
  walk.resourceType = outer.resourceType;
  walk.id = outer.id;
  return done;
}

/** They carry others' resources, which are labelled themselves. */
const UNLABELLED: ReadonlySet<string> = new Set(["Bundle", "OperationOutcome", "Parameters"]);

function walkWhole(resource: JsonObject, state: State, walk: Walk): JsonObject | undefined {
  return walkObject(state.type === "Bundle" ? judgedBundle(resource, walk) : resource, state, walk);
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
  let copy: JsonObject | undefined;
  if (Array.isArray(entry)) {
    const after = entry.flatMap((one) =>
      judgedEntry(one, type === "batch-response" || type === "transaction-response", walk),
    );
    if (after.length !== entry.length || after.some((one, index) => one !== entry[index])) {
      copy = { ...bundle, entry: after };
      if (after.length < entry.length) delete copy["total"];
      if (after.length === 0) delete copy["entry"];
    }
  }
  if (walk.hidesTotals && "total" in bundle) {
    copy ??= { ...bundle };
    delete copy["total"];
  }
  return copy ?? bundle;
}

function judgedEntry(entry: Json, isAnswer: boolean, walk: Walk): readonly Json[] {
  if (!isObject(entry)) return [];
  const judged = withoutQuery(entry);
  const { resource } = judged;
  if (!isObject(resource)) return [judged];
  if (mayLeave(resource, walk)) return [judged];
  return isAnswer ? [{ response: { status: "404" } }] : [];
}

function mayLeave(resource: JsonObject, walk: Walk): boolean {
  const type = resource["resourceType"];
  const state = typeof type === "string" ? walk.machine.root(type) : undefined;
  if (state === undefined) throw new UnjudgeableError("not a resource of R4");
  return state !== "drop" && walk.fateOf(resource) !== "drop";
}

/** A condition that a history entry was made under is a search, with whatever was searched for. */
function withoutQuery(entry: JsonObject): JsonObject {
  const { request } = entry;
  if (!isObject(request) || typeof request["url"] !== "string" || !request["url"].includes("?")) return entry;
  return { ...entry, request: { ...request, url: request["url"].split("?")[0] ?? "" } };
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
    if (!seals && !state.required.some((one) => one.name === element.name)) continue;
    walk.path.push(name);
    const place = (item: Json): Json => (seals ? (encrypted(item, walk).element ?? null) : maskedElement());
    made[isPrimitiveType(element.type) ? `_${name}` : name] = Array.isArray(value) ? value.map(place) : place(value);
    walk.path.pop();
  }
  walk.effects |= REMOVED | MASKED;
  return made;
}

const NOT_CONTENT: ReadonlySet<string> = new Set(["resourceType", "id", "meta", "implicitRules", "language"]);
