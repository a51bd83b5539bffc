/** Names the calendar day of an instant in one time zone: `2026-11-28`. */
export type DayOf = (at: number) => string;

const QUARTER_MS = 15 * 60_000;

/** Every offset in use is a multiple of a quarter of an hour, so one answer holds for the whole quarter. */
export function createDayOf(timeZone: string): DayOf {
  const parts = new Intl.DateTimeFormat("en-US", { timeZone, year: "numeric", month: "2-digit", day: "2-digit" });
  let quarter = Number.NaN;
  let day = "";
  return (at) => {
    const asked = Math.floor(at / QUARTER_MS);
    if (asked === quarter) return day;
    const [month = "", date = "", year = ""] = parts.format(at).split("/");
    quarter = asked;
    day = `${year.padStart(4, "0")}-${month}-${date}`;
    return day;
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
