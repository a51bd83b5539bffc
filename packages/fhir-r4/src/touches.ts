import type { SearchCriterion, SearchQuery, Touch, TouchVia } from "@wardline/policy-types";
import { parsePairs } from "./request-query.ts";
import { isResourceType, RESOURCE_TYPES } from "./resource-types.ts";
import { parseSearch } from "./search.ts";

/** Collects touches without repeats, in the order of first mention. */
export class TouchList {
  /** What it begins with, which other lists have too. */
  readonly #shared: readonly Touch[];
  /** All of it, once anything was added. */
  #own: Touch[] | undefined;
  /** Of more touches than are looked through one by one. */
  #seen: Set<string> | undefined;

  constructor(bases: readonly string[] = []) {
    const alone = bases.length === 1 ? BASE_ALONE.get(bases[0] ?? "") : undefined;
    this.#shared = alone ?? NONE;
    if (alone === undefined) this.add(bases, "base");
  }

  add(types: readonly string[], via: TouchVia): this {
    for (const type of types) {
      if (!this.#isNew(type, via)) continue;
      this.#own ??= [...this.#shared];
      this.#own.push({ type, via });
    }
    return this;
  }

  #isNew(type: string, via: TouchVia): boolean {
    const touches = this.toArray();
    if (touches.length < FEW) {
      for (const touch of touches) if (touch.type === type && touch.via === via) return false;
      return true;
    }
    this.#seen ??= new Set(touches.map((touch) => `${touch.via} ${touch.type}`));
    const { size } = this.#seen;
    return this.#seen.add(`${via} ${type}`).size > size;
  }

  addSearch(search: SearchQuery): this {
    for (const criterion of search.criteria) addCriterion(this, criterion);
    for (const { kind, targets } of search.includes) this.add(targets, kind);
    // R4 sorts by parameters of the type itself; a sort that follows a reference is a server's own invention.
    for (const { parameter } of search.sort) if (/[.:]/.test(parameter)) this.add(ANY, "sort");
    return this;
  }

  toArray(): readonly Touch[] {
    return this.#own ?? this.#shared;
  }
}

const NONE: readonly Touch[] = Object.freeze([]);
/** Most requests reach the type they are on and no other, so that one list of each stands for all of them. */
const BASE_ALONE: ReadonlyMap<string, readonly Touch[]> = new Map(
  ["*", ...RESOURCE_TYPES].map((type) => [type, Object.freeze([Object.freeze({ type, via: "base" as const })])]),
);

const FEW = 8;
const ANY: readonly string[] = Object.freeze(["*"]);

function addCriterion(touches: TouchList, { raw, steps, parameter, values, known }: SearchCriterion): void {
  for (const step of steps) touches.add(step.types, step.kind);
  if (parameter === "_list") touches.add(["List"], "chain");
  else if (parameter === "_filter" || parameter === "_query") touches.add(ANY, "chain");
  else if (parameter === "_include") touches.add(ANY, "include");
  else if (parameter === "_revinclude") touches.add(ANY, "revinclude");
  else if (parameter === "_typeFilter") addTypeFilters(touches, values.join(","));
  else if (parameter === "_type") touches.add(known ? [] : ANY, "type-filter");
  // A path we cannot follow may lead anywhere.
  else if (!known && raw.includes("_has")) touches.add(ANY, "has");
  else if (!known && raw.includes(".")) touches.add(ANY, "chain");
}

/**
 * `_typeFilter` of Bulk Data: a comma list of `Type?query`, each a search of its own.
 *
 * @see https://hl7.org/fhir/uv/bulkdata/STU2/export.html#_typefilter-query-parameter
 */
function addTypeFilters(touches: TouchList, value: string): void {
  for (const filter of value.split(/,(?=[A-Za-z]+\?)/)) {
    const mark = filter.indexOf("?");
    const type = filter.slice(0, Math.max(mark, 0));
    const pairs = parsePairs(filter.slice(mark + 1));
    // One level is enough: a filter inside a filter means nothing.
    const nested = pairs?.some(([name]) => name.startsWith("_typeFilter")) ?? true;
    if (!isResourceType(type) || pairs === undefined || nested) touches.add(ANY, "type-filter");
    else touches.add([type], "type-filter").addSearch(parseSearch([type], pairs));
  }
}

/**
 * The types a search reaches beyond the ones it is on, each with the way it gets there. `*` when a part of the search
 * could not be followed.
 */
export function touchesOf(search: SearchQuery): readonly Touch[] {
  return new TouchList().addSearch(search).toArray();
}
