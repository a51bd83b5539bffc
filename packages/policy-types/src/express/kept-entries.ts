import type { Json } from "./transform.ts";

type JsonObject = Readonly<Record<string, Json>>;

/**
 * Writes a Bundle whose head was changed - links, a total - around the entries as they came: to write them again would cost
 * half of what judging the answer costs, and FHIR's decimals stay as they were spelled by themselves.
 *
 * @param changed what leaves
 * @param body what was read from `text`
 * @param text JSON in which no object has a name twice
 * @returns `undefined` where the entries are not those of `body`, or cannot be found for certain
 */
export function writeAroundEntries(changed: Json, body: Json, text: string): string | undefined {
  if (!isObject(changed) || !isObject(body) || !Array.isArray(body["entry"])) return undefined;
  if (changed["entry"] !== body["entry"] || Object.keys(changed).at(-1) !== "entry") return undefined;
  const start = startOfEntries(body, text);
  if (start === undefined) return undefined;
  const { entry: _, ...head } = changed;
  const opened = JSON.stringify(head).slice(0, -1);
  return `${opened}${opened === "{" ? "" : ","}${NAME}${text.slice(start, text.lastIndexOf("}"))}}`;
}

/**
 * Where the value of the outermost `entry` begins. That what comes before its name is an object with one more member, once it is
 * closed, proves that it is the outermost; that all members are among these, that it is the last and ends where the object does.
 */
function startOfEntries(body: JsonObject, text: string): number | undefined {
  const at = text.indexOf(NAME);
  if (at < 0 || at > LONGEST_HEAD) return undefined;
  const names = namesOf(`${text.slice(0, at)}${NAME}0}`);
  const isLast = names?.at(-1) === "entry" && names.length === Object.keys(body).length;
  return isLast ? at + NAME.length : undefined;
}

/** `undefined` for what is no text of JSON. */
function namesOf(text: string): string[] | undefined {
  try {
    return Object.keys(JSON.parse(text) as object);
  } catch {
    return undefined;
  }
}

function isObject(value: Json): value is { [name: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const NAME = '"entry":';
/** Characters. A head has a few links. */
const LONGEST_HEAD = 32_768;
