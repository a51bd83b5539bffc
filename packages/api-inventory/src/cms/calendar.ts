/** Names the calendar day of an instant in one time zone: `2026-11-28`. */
export type DayOf = (at: number) => string;

const QUARTER_MS = 15 * 60_000;

/** Every offset in use is a multiple of a quarter of an hour, so one answer holds for the whole quarter. */
export function createDayOf(timeZone: string): DayOf {
  const read = timeZone === "UTC" ? readUtc : readerIn(timeZone);
  let quarter = Number.NaN;
  let day = "";
  return (at) => {
    const asked = Math.floor(at / QUARTER_MS);
    if (asked === quarter) return day;
    quarter = asked;
    day = read(at);
    return day;
  };
}

/** What needs no table of time zones does not load it. */
function readUtc(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

function readerIn(timeZone: string): DayOf {
  const parts = new Intl.DateTimeFormat("en-US", { timeZone, year: "numeric", month: "2-digit", day: "2-digit" });
  return (at) => {
    const [month = "", date = "", year = ""] = parts.format(at).split("/");
    return `${year.padStart(4, "0")}-${month}-${date}`;
  };
}

export function isTimeZone(timeZone: unknown): timeZone is string {
  if (typeof timeZone !== "string" || timeZone === "") return false;
  try {
    return new Intl.DateTimeFormat("en-US", { timeZone }).format(0) !== "";
  } catch {
    return false;
  }
}

export function yearOf(day: string): number {
  return Number(day.slice(0, 4));
}
