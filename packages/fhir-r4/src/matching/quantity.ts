import { isRecord, own } from "../element-paths.ts";
import { splitUnescaped, unescapeValue } from "../request-query.ts";
import { compareNumber, parseDecimal } from "./number.ts";
import { splitPrefix } from "./ranges.ts";
import { allOf, type Verdict } from "./verdict.ts";

const UCUM = "http://unitsofmeasure.org";
const CURRENCY = "urn:iso:std:iso:4217";

/**
 * Compares one Quantity or Money with one quantity value: `number`, `number|system|code`, `number||code` (code or unit).
 * Does NOT convert units; a Range, SampledData or a quantity with a comparator is undecided.
 *
 * @see https://hl7.org/fhir/R4/search.html#quantity
 */
export function matchQuantity(element: unknown, datatype: string, value: string): Verdict {
  const parts = splitUnescaped(value, "|").map(unescapeValue);
  const [number, system, code] = parts;
  if (number === undefined || parts.length > 3 || parts.includes(undefined)) return "undecided";
  const { prefix, rest } = splitPrefix(number);
  const search = parseDecimal(rest);
  const quantity = readQuantity(element, datatype);
  if (search === undefined || quantity === undefined) return "undecided";
  if (system === undefined) return compareNumber(prefix, quantity.value, search);
  if (code === undefined || code === "") return "undecided";
  const unit = matchUnit(quantity, system, code);
  return allOf([unit, compareNumber(prefix, quantity.value, search)], (verdict) => verdict);
}

interface ReadQuantity {
  readonly value: number;
  readonly system: unknown;
  readonly code: unknown;
  readonly unit: unknown;
}

function readQuantity(element: unknown, datatype: string): ReadQuantity | undefined {
  if (!isRecord(element) || datatype === "Range" || datatype === "SampledData") return undefined;
  const value = own(element, "value");
  if (typeof value !== "number" || !Number.isFinite(value) || own(element, "comparator") !== undefined)
    return undefined;
  if (datatype === "Money") return { value, system: CURRENCY, code: own(element, "currency"), unit: undefined };
  return { value, system: own(element, "system"), code: own(element, "code"), unit: own(element, "unit") };
}

function matchUnit(quantity: ReadQuantity, system: string, code: string): Verdict {
  const sameCode = quantity.code === code;
  if (system === "") return sameCode || quantity.unit === code;
  if (quantity.system !== system) return false;
  // A server may convert between units of UCUM, which we do not.
  return sameCode ? true : system === UCUM ? "undecided" : false;
}
