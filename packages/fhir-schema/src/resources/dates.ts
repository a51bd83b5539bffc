const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

const TIME = /^(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?$/;
const TIME_AND_ZONE = /^T(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?(?:Z|[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00))$/;

/** `YYYY`, `YYYY-MM` or `YYYY-MM-DD`, of a day that exists. */
export function isDate(text: string): boolean {
  const year = number(text, 0, 4);
  if (!(year > 0)) return false;
  if (text.length === 4) return true;
  const days = text[4] === "-" ? DAYS[number(text, 5, 7) - 1] : undefined;
  if (text.length === 7 || days === undefined) return days !== undefined;
  const day = number(text, 8, 10);
  if (text.length !== 10 || text[7] !== "-" || !(day >= 1 && day <= days)) return false;
  return day !== 29 || days !== 29 || isLeap(year);
}

/** The decimal number at a place; NaN when something else stands there. */
function number(text: string, from: number, to: number): number {
  let value = 0;
  for (let index = from; index < to; index++) {
    const digit = text.charCodeAt(index) - 0x30;
    if (!(digit >= 0 && digit <= 9)) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

/** A date, or a date with a time to the second and a time zone. */
export function isDateTime(text: string): boolean {
  return text.length <= 10 ? isDate(text) : isInstant(text);
}

export function isInstant(text: string): boolean {
  return isDate(text.slice(0, 10)) && text[10] === "T" && TIME_AND_ZONE.test(text.slice(10));
}

export function isTime(text: string): boolean {
  return TIME.test(text);
}
