const DATE = /^\d{4}-\d{2}-\d{2}$/;
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})$/;

/** Milliseconds since the epoch of a date (its begin, UTC) or an instant; undefined for anything else. */
export function parseDate(text: unknown): number | undefined {
  if (typeof text !== "string" || !(DATE.test(text) || INSTANT.test(text))) return undefined;
  const at = Date.parse(text);
  const day = text.slice(0, 10);
  // `Date.parse` rolls 30 February over to March.
  if (Number.isNaN(at) || new Date(day).toISOString().slice(0, 10) !== day) return undefined;
  return at;
}

/** The same day of a later month, or that month's last day. */
export function addMonths(at: number, months: number): number {
  const date = new Date(at);
  const day = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() + months);
  const last = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  date.setUTCDate(Math.min(day, last));
  return date.getTime();
}

/** A structured-field Date. @see https://www.rfc-editor.org/rfc/rfc9651#section-3.3.7 */
export function structuredDate(at: number): string {
  return `@${Math.floor(at / 1000)}`;
}

/** @see https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7 */
export function httpDate(at: number): string {
  return new Date(at).toUTCString();
}

export function dayText(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}
