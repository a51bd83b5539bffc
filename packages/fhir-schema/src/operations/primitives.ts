import { isDate, isInstant, isPlainDate } from "../queries/dates.ts";
import { isTrimmed, isUri } from "../queries/text.ts";

const CHECKS: ReadonlyMap<string, (text: string) => boolean> = new Map([
  ["boolean", (text) => text === "true" || text === "false"],
  ["canonical", isUri],
  ["code", isTrimmed],
  ["date", isPlainDate],
  ["dateTime", isDate],
  ["decimal", (text) => /^-?(?:0|[1-9]\d{0,30})(?:\.\d{1,30})?(?:[eE][+-]?\d{1,3})?$/.test(text)],
  ["id", (text) => /^[A-Za-z0-9\-.]{1,64}$/.test(text)],
  ["instant", isInstant],
  ["integer", (text) => isIntegerFrom(text, -2_147_483_648)],
  ["positiveInt", (text) => isIntegerFrom(text, 1)],
  ["string", (text) => text !== ""],
  ["uri", isUri],
  ["url", isUri],
]);

function isIntegerFrom(text: string, least: number): boolean {
  return /^-?(?:0|[1-9]\d{0,9})$/.test(text) && Number(text) >= least && Number(text) <= 2_147_483_647;
}

export function isPrimitive(type: string): boolean {
  return CHECKS.has(type);
}

/** True when the text is not of the primitive type. */
export function primitiveFault(type: string, text: string): boolean {
  return CHECKS.get(type)?.(text) !== true;
}
