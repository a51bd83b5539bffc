const DATE =
  /^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(?:\.\d{1,9})?)?(Z|[+-](?:0\d|1[0-4]):[0-5]\d)?)?)?)?$/;

/** A point in time to whatever precision it is written, on a day the calendar has. Seconds go to 60, for leap seconds. */
export function isDate(text: string): boolean {
  const match = DATE.exec(text);
  if (match === null) return false;
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map((part) => (part === undefined ? undefined : Number(part)));
  return year > 0 && isDay(year, month, day) && hour < 24 && minute < 60 && second <= 60 && isOffset(match[7]);
}

/** A date without a time of day. */
export function isPlainDate(text: string): boolean {
  return !text.includes("T") && isDate(text);
}

/** @see https://hl7.org/fhir/R4/datatypes.html#instant */
export function isInstant(text: string): boolean {
  return /T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/.test(text) && isDate(text);
}

function isDay(year: number, month: number, day: number): boolean {
  if (month < 1 || month > 12 || day < 1) return false;
  return day <= (month === 2 && isLeap(year) ? 29 : (DAYS[month - 1] ?? 0));
}

const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

/** The widest offset in use is fourteen hours. */
function isOffset(text: string | undefined): boolean {
  return text === undefined || !/^[+-]14:(?!00)/.test(text);
}
