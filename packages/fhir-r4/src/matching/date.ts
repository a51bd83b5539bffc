import { isRecord, own } from "../element-paths.ts";
import { compareRanges, type Prefix, type Range, splitPrefix } from "./ranges.ts";
import type { Verdict } from "./verdict.ts";

/** A range on the time line, in milliseconds; `local` when it was written without an offset. */
interface Moment extends Range {
  readonly local: boolean;
}

const HOUR = 3_600_000;
const DATE = /^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d+))?)?(Z|[+-]\d{2}:\d{2})?)?)?)?$/;

/**
 * Compares one date, dateTime, instant or Period with one date value, each taken as the range its precision stands for.
 * A Timing is undecided.
 *
 * @see https://hl7.org/fhir/R4/search.html#date
 */
export function matchDate(element: unknown, datatype: string, value: string): Verdict {
  const { prefix, rest } = splitPrefix(value);
  const search = parseMoment(rest);
  const target = datatype === "Period" ? parsePeriod(element) : parseMoment(element);
  if (search === undefined || target === undefined) return "undecided";
  return target.local === search.local
    ? compareRanges(prefix, target, search)
    : compareAcrossZones(prefix, target, search);
}

/**
 * One side has no offset: the server's own zone decides, and lies between UTC-12 and UTC+14. Only what holds for all of
 * them is certain.
 */
function compareAcrossZones(prefix: Prefix, target: Moment, search: Moment): Verdict {
  if (prefix === "ap") return "undecided";
  const shifted = search.local ? search : target;
  const verdicts = [-14 * HOUR, 12 * HOUR].map((shift) => {
    const moved = { low: shifted.low + shift, high: shifted.high + shift };
    return search.local ? compareRanges(prefix, target, moved) : compareRanges(prefix, moved, search);
  });
  const [first, last] = verdicts;
  if (first !== last || first === undefined) return "undecided";
  if (prefix !== "eq" && prefix !== "ne") return first; // the order of two ranges changes at one zone at most
  // Containment can hold between two zones where it fails: then it is certain only when the ranges never come near.
  const contained = first === (prefix === "eq");
  const near = target.low < search.high + 14 * HOUR && search.low - 14 * HOUR < target.high;
  return contained || !near ? first : "undecided";
}

/** A Period without a start began at any time, one without an end has not ended. */
function parsePeriod(element: unknown): Moment | undefined {
  if (!isRecord(element)) return undefined;
  const start = own(element, "start");
  const end = own(element, "end");
  const from = start === undefined ? undefined : parseMoment(start);
  const to = end === undefined ? undefined : parseMoment(end);
  if ((start !== undefined && from === undefined) || (end !== undefined && to === undefined)) return undefined;
  const known = from ?? to;
  if (known === undefined || (from !== undefined && to !== undefined && from.local !== to.local)) return undefined;
  const period = { low: from?.low ?? -Infinity, high: to?.high ?? Infinity, local: known.local };
  return period.low < period.high ? period : undefined;
}

function parseMoment(text: unknown): Moment | undefined {
  const [match, year, month, day, hour, minute, second, fraction, offset] =
    typeof text === "string" ? (DATE.exec(text) ?? []) : [];
  if (match === undefined) return undefined;
  const [y, mo, d, h, mi, s] = [year, month ?? "01", day ?? "01", hour ?? "0", minute ?? "0", second ?? "0"].map(
    Number,
  );
  const start = utc(y ?? 0, mo ?? 0, d ?? 0, h ?? 0, mi ?? 0, s ?? 0);
  const zone = offset === undefined ? 0 : offsetOf(offset);
  if (start === undefined || zone === undefined) return undefined;
  const digits = fraction ?? "";
  const low = start - zone + (digits === "" ? 0 : Number(`0.${digits}`) * 1000);
  const end = month === undefined ? utc((y ?? 0) + 1, 1, 1, 0, 0, 0) : undefined;
  const span = second !== undefined ? 1000 / 10 ** digits.length : hour !== undefined ? 60_000 : 24 * HOUR;
  const high = end ?? (day === undefined ? monthEnd(y ?? 0, mo ?? 0) : low + span);
  return { low, high, local: offset === undefined };
}

function monthEnd(year: number, month: number): number {
  return utc(month === 12 ? year + 1 : year, month === 12 ? 1 : month + 1, 1, 0, 0, 0) ?? Number.NaN;
}

/** Undefined for a date that no calendar has: 2020-02-30. */
function utc(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
): number | undefined {
  if (month > 12 || hour > 23 || minute > 59 || second > 60) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  return date.setUTCHours(hour, minute, second, 0);
}

function offsetOf(text: string): number | undefined {
  if (text === "Z") return 0;
  const hours = Number(text.slice(1, 3));
  const minutes = Number(text.slice(4, 6));
  if (hours > 14 || minutes > 59) return undefined;
  return (text.startsWith("-") ? -1 : 1) * (hours * HOUR + minutes * 60_000);
}
