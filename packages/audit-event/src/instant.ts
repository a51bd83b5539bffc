/**
 * As `Date.toISOString` writes it. Many events share a second, which is then written once.
 *
 * @throws {RangeError} for what is no time
 */
export function instant(milliseconds: number): string {
  const time = Math.trunc(milliseconds);
  const second = Math.floor(time / 1000);
  if (second !== writtenSecond.second) {
    writtenSecond = { second, text: new Date(second * 1000).toISOString().slice(0, -"000Z".length) };
  }
  return `${writtenSecond.text}${String(time - second * 1000).padStart(3, "0")}Z`;
}

let writtenSecond = { second: Number.NaN, text: "" };
