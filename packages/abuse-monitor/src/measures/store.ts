import { type Action, later, type Measure, measureId } from "./measure.ts";

/** The measures this instance knows of. Looked up on every request, so always in memory. */
export interface MeasureStore {
  /** Takes a version of a measure in. Gives whether it is the one that holds now. */
  put(measure: Measure): boolean;
  get(id: string): Measure | undefined;
  /** The active measure against somebody. */
  active(action: Action, kind: Measure["whom"]["kind"], pseudonym: string | undefined): Measure | undefined;
  /** Those that have not run out, lifted ones included. */
  list(): readonly Measure[];
  /** True while nothing at all is imposed: nobody has to be looked up. */
  isEmpty(): boolean;
}

/** Holds at most `limit`; when full, the one that runs out first gives way. */
export function createMeasureStore(now: () => number, limit: number): MeasureStore {
  const measures = new Map<string, Measure>();

  return {
    put(measure) {
      if (measure.until <= now()) return false;
      const id = measureId(measure);
      const before = measures.get(id);
      if (before !== undefined && before.until > now() && later(before, measure) === before) return false;
      if (before === undefined && measures.size >= limit) makeRoom();
      measures.set(id, Object.freeze(measure));
      return true;
    },
    get(id) {
      const measure = measures.get(id);
      return measure !== undefined && measure.until > now() ? measure : undefined;
    },
    active(action, kind, pseudonym) {
      if (pseudonym === undefined || measures.size === 0) return undefined;
      const measure = measures.get(`${action}/${kind}/${pseudonym}`);
      return measure !== undefined && measure.state === "active" && measure.until > now() ? measure : undefined;
    },
    list() {
      forgetOld();
      return [...measures.values()];
    },
    isEmpty: () => measures.size === 0,
  };

  function forgetOld(): void {
    const at = now();
    for (const [id, { until }] of measures) if (until <= at) measures.delete(id);
  }

  function makeRoom(): void {
    forgetOld();
    if (measures.size < limit) return;
    let first: readonly [string, number] | undefined;
    for (const [id, { until }] of measures) if (first === undefined || until < first[1]) first = [id, until];
    if (first !== undefined) measures.delete(first[0]);
  }
}
