import type { Json } from "@wardline/policy-types/express";
import { isObject, type JsonObject } from "../values.ts";
import { decideFate, type SensitiveFacts } from "./decide.ts";
import type { Detector } from "./detect.ts";
import type { Ruling, SensitiveRule } from "./rules.ts";

/** Their label is the highest of what they hold, and each entry has its own (R4 security-labels, "high water mark"). */
const GATHERED: ReadonlySet<Json | undefined> = new Set([
  "searchset",
  "history",
  "batch-response",
  "transaction-response",
]);
const WHOLE: Ruling = Object.freeze({ fate: "keep", isNoticed: false });

/**
 * A document, a message or a collection is one thing that somebody has labelled: it leaves or it does not, by its own labels and
 * a document's confidentiality, and entry by entry besides. Consent lifts it when everybody consents whom an entry is about.
 *
 * @see https://hl7.org/fhir/R4/security-labels.html
 */
export function decideBundleFate(
  bundle: JsonObject,
  rules: readonly SensitiveRule[],
  detect: Detector,
  sensitive: SensitiveFacts,
): Ruling {
  if (GATHERED.has(bundle["type"])) return WHOLE;
  const resources = resourcesIn(bundle);
  const patientsOf = () => resources.flatMap((resource) => sensitive.patientsOf(resource));
  const ruling = decideFate(ownLabels(bundle, resources), rules, detect, { ...sensitive, patientsOf });
  return ruling.fate === "keep" ? ruling : { fate: "drop", isNoticed: false };
}

function ownLabels({ meta = null, type }: JsonObject, [first]: readonly JsonObject[]): JsonObject {
  const confidentiality = type === "document" ? first?.["confidentiality"] : undefined;
  return confidentiality === undefined ? { meta } : { meta, confidentiality };
}

function resourcesIn({ entry }: JsonObject): readonly JsonObject[] {
  return Array.isArray(entry)
    ? entry.flatMap((one) => (isObject(one) && isObject(one["resource"]) ? [one["resource"]] : []))
    : [];
}
