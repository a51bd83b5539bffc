import { isResourceType } from "@wardline/fhir-r4";
import {
  type ConfigurationIssue,
  type Findings,
  findings,
  INTERACTION_CODES,
  join,
  refuseUnknownKeys,
  TRUST_ZONES,
} from "@wardline/policy-types";
import { addMonths, parseDate } from "./dates.ts";
import { HTTP_METHODS, type InventoryEntry } from "./entry.ts";

const KNOWN = [
  "id",
  "path",
  "zone",
  "apiType",
  "summary",
  "methods",
  "interactions",
  "operations",
  "types",
  "owner",
  "version",
  "dataClass",
  "vendor",
  "dependsOn",
  "consumers",
  "approvedScopes",
  "introduced",
  "deprecated",
  "retired",
  "successor",
];
const VENDOR_KEYS = ["name", "agreement", "reviewed", "reviewMonths"];
/** Announced this long before it goes, at least. */
const NOTICE_MONTHS = 12;
const REVIEW_MONTHS = { least: 6, most: 12 };

/** Reports everything that is wrong with the entries, under `path`. */
export function checkEntries(found: Findings, entries: unknown, path = "entries"): void {
  if (!Array.isArray(entries) || entries.length === 0) {
    found.add(path, "required", "give a list with at least one entry");
    return;
  }
  const ids = new Set<unknown>();
  const claims = new Map<string, number>();
  for (const [index, entry] of (entries as unknown[]).entries()) {
    const at = join(path, index);
    if (entry === null || typeof entry !== "object") {
      found.add(at, "malformed", "give an object");
      continue;
    }
    checkEntry(found, entry as InventoryEntry, at);
    const { id, path: own, methods } = entry as InventoryEntry;
    if (ids.has(id)) found.add(join(at, "id"), "duplicate", "give every entry an id of its own");
    ids.add(id);
    // Several bases may share a path: each declares its own interactions.
    for (const method of Array.isArray(methods) ? methods : []) {
      const claim = `${method} ${own}`;
      if (claims.has(claim))
        found.add(join(at, "path"), "claimed-twice", `entries[${claims.get(claim)}] claims it too`);
      claims.set(claim, index);
    }
  }
}

/** What `checkEntries` finds, for a linter that shows it among its own findings. */
export function entryIssues(entries: unknown): readonly ConfigurationIssue[] {
  const found = findings();
  checkEntries(found, entries);
  return found.issues;
}

function checkEntry(found: Findings, entry: InventoryEntry, at: string): void {
  refuseUnknownKeys(found, entry, KNOWN, at);
  const { id, path, zone, apiType, methods, interactions, operations, types } = entry;
  if (typeof id !== "string" || id === "") found.add(join(at, "id"), "required", "give a short name");
  if (typeof path !== "string" || !path.startsWith("/") || (path.length > 1 && path.endsWith("/"))) {
    found.add(join(at, "path"), "malformed", "begin with a slash and end without one");
  }
  if (!TRUST_ZONES.includes(zone)) found.add(join(at, "zone"), "unknown-value", `use ${TRUST_ZONES.join(", ")}`);
  if (typeof apiType !== "string" || apiType === "") found.add(join(at, "apiType"), "required", "name the API type");
  const isFhir = interactions !== undefined || operations !== undefined;
  if (isFhir === (methods !== undefined)) {
    found.add(at, "kind", "give `interactions` or `operations` for a FHIR base, or `methods` for one route");
  }
  checkWords(found, join(at, "methods"), methods, (word) => (HTTP_METHODS as readonly string[]).includes(word));
  checkWords(found, join(at, "interactions"), interactions, (word) =>
    word === "operation" ? false : (INTERACTION_CODES as readonly string[]).includes(word),
  );
  checkWords(found, join(at, "operations"), operations, (word) => /^[A-Za-z][\w.-]{0,63}$/.test(word));
  checkWords(found, join(at, "types"), types, isResourceType);
  for (const key of ["dependsOn", "consumers", "approvedScopes"] as const) {
    checkWords(found, join(at, key), entry[key], (word) => word !== "");
  }
  for (const key of ["owner", "version", "dataClass", "summary"] as const) {
    if (entry[key] !== undefined && typeof entry[key] !== "string")
      found.add(join(at, key), "malformed", "give a text");
  }
  if (entry.vendor !== undefined) checkVendor(found, entry.vendor, join(at, "vendor"));
  checkLife(found, entry, at);
}

function checkVendor(found: Findings, vendor: NonNullable<InventoryEntry["vendor"]>, at: string): void {
  refuseUnknownKeys(found, vendor, VENDOR_KEYS, at);
  const { name, agreement, reviewed, reviewMonths } = vendor;
  if (typeof name !== "string" || name === "") found.add(join(at, "name"), "required", "name the vendor");
  if (agreement !== undefined && typeof agreement !== "string")
    found.add(join(at, "agreement"), "malformed", "give a text");
  if (reviewed !== undefined && parseDate(reviewed) === undefined) notADate(found, join(at, "reviewed"));
  const { least, most } = REVIEW_MONTHS;
  if (reviewMonths === undefined) return;
  if (Number.isSafeInteger(reviewMonths) && reviewMonths >= least && reviewMonths <= most) return;
  found.add(join(at, "reviewMonths"), "out-of-range", `review every ${least} to ${most} months`);
}

/** RFC 8594 and RFC 9745 section 4: what is gone was announced before; twelve months before, is our promise. */
function checkLife(found: Findings, entry: InventoryEntry, at: string): void {
  for (const key of ["introduced", "deprecated", "retired"] as const) {
    if (entry[key] !== undefined && parseDate(entry[key]) === undefined) notADate(found, join(at, key));
  }
  const [introduced, deprecated, retired] = [entry.introduced, entry.deprecated, entry.retired].map(parseDate);
  if (introduced !== undefined && deprecated !== undefined && deprecated < introduced) {
    found.add(join(at, "deprecated"), "order", "deprecate it after it was introduced");
  }
  if (entry.retired !== undefined && entry.deprecated === undefined) {
    found.add(join(at, "retired"), "not-announced", "give `deprecated`, at least 12 months before it is retired");
  }
  if (deprecated !== undefined && retired !== undefined && retired < addMonths(deprecated, NOTICE_MONTHS)) {
    found.add(join(at, "retired"), "notice-too-short", "retire it at least 12 months after `deprecated`");
  }
  if (entry.successor !== undefined && !isUriReference(entry.successor)) {
    found.add(join(at, "successor"), "malformed", "give an https URL or an absolute path");
  }
}

/** It is written between `<` and `>` in a header. */
function isUriReference(text: unknown): boolean {
  return typeof text === "string" && /^(?:https:\/\/|\/)[^\s<>"\\^`{|}]*$/.test(text) && /^[\x21-\x7e]+$/.test(text);
}

function checkWords(found: Findings, at: string, words: unknown, known: (word: string) => boolean): void {
  if (words === undefined) return;
  if (!Array.isArray(words)) return found.add(at, "malformed", "give a list");
  (words as unknown[]).forEach((word, index) => {
    if (typeof word === "string" && known(word)) return;
    const capitals =
      typeof word === "string" && known(word.toUpperCase()) ? `, did you mean \`${word.toUpperCase()}\`?` : "";
    found.add(join(at, index), "unknown-value", `no such word here${capitals}`);
  });
}

function notADate(found: Findings, at: string): void {
  found.add(at, "not-a-date", "write 2026-11-01, or an instant with its time zone");
}

/** A frozen copy of checked entries. */
export function freezeEntries(entries: readonly InventoryEntry[]): readonly InventoryEntry[] {
  return Object.freeze(structuredClone(entries).map((entry) => Object.freeze(entry)));
}
