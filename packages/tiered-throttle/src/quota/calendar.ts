/** A day or a month of a time zone, in milliseconds since the epoch; `end` belongs to the next one. */
export interface Period {
  readonly start: number;
  readonly end: number;
}

export type PeriodUnit = "day" | "month";

/** Days and months as a contract counts them. */
export interface Calendar {
  periodAt(now: number): Period;
  periodAfter(now: number): Period;
  /** Starts of two periods before the current one, of itself and of three after it. */
  startsAround(now: number): readonly number[];
}

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

/** Starts of periods kept, because neighbours are asked for again. */
const REMEMBERED = 16;

/**
 * Periods of an IANA time zone: each begins when its first local day does, be that at midnight or, where the clocks skip
 * midnight, later. Remembers the period it gave last, because asking the time zone database costs more than counting.
 *
 * Throws a RangeError for a time zone the runtime does not know.
 */
export function createCalendar(unit: PeriodUnit, timeZone: string): Calendar {
  const localDay = localDayOf(timeZone);
  const known = new Map<number, number>();
  const startOf = (index: number): number => {
    const remembered = known.get(index);
    if (remembered !== undefined) return remembered;
    const date = unit === "day" ? index * DAY_MS : Date.UTC(1970, index, 1);
    const start = firstInstantOf(date / DAY_MS, localDay);
    if (known.size >= REMEMBERED) known.clear();
    known.set(index, start);
    return start;
  };
  const indexAt = (now: number): number => {
    const day = localDay(now);
    const date = new Date(day * DAY_MS);
    const index = unit === "day" ? day : (date.getUTCFullYear() - 1970) * 12 + date.getUTCMonth();
    // Clocks set back over midnight make an instant's local date differ from the day that has begun.
    if (now < startOf(index)) return index - 1;
    return now >= startOf(index + 1) ? index + 1 : index;
  };

  let last: { readonly period: Period; readonly starts: readonly number[] } | undefined;
  const lookUp = (now: number): NonNullable<typeof last> => {
    if (last !== undefined && now >= last.period.start && now < last.period.end) return last;
    const index = indexAt(now);
    const starts = [-2, -1, 0, 1, 2, 3].map((offset) => startOf(index + offset));
    last = { period: { start: starts[2] as number, end: starts[3] as number }, starts };
    return last;
  };
  return {
    periodAt: (now) => lookUp(now).period,
    periodAfter: (now) => {
      const [, , , start, end] = lookUp(now).starts as [number, number, number, number, number];
      return { start, end };
    },
    startsAround: (now) => lookUp(now).starts,
  };
}

/** Days since 1970-01-01 of the local date at an instant. */
function localDayOf(timeZone: string): (instant: number) => number {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone,
    calendar: "iso8601",
    numberingSystem: "latn",
    year: "numeric",
    month: "numeric",
    day: "numeric",
  });
  return (instant) => {
    const parts = new Map(format.formatToParts(instant).map(({ type, value }) => [type, value]));
    return Date.UTC(Number(parts.get("year")), Number(parts.get("month")) - 1, Number(parts.get("day"))) / DAY_MS;
  };
}

/** No zone has ever been further from UTC than this. */
const FURTHEST_MINUTES = 16 * 60;

/** Bisects for the first minute whose local date is `day` or later; since 1973 no zone has been off UTC by less than minutes. */
function firstInstantOf(day: number, localDay: (instant: number) => number): number {
  const middle = (day * DAY_MS) / MINUTE_MS;
  let before = middle - FURTHEST_MINUTES;
  let from = middle + FURTHEST_MINUTES;
  while (from - before > 1) {
    const between = Math.floor((before + from) / 2);
    if (localDay(between * MINUTE_MS) >= day) from = between;
    else before = between;
  }
  return from * MINUTE_MS;
}
