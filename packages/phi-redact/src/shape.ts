import { type Findings, join, refuseUnknownKeys, TRUST_ZONES } from "@wardline/policy-types";
import type { SensitiveCondition, SensitiveRule } from "./categories/rules.ts";
import { PRESETS } from "./presets/presets.ts";
import type { ProfileChoice, ProfileCondition } from "./select.ts";

type Check = (value: unknown, path: string) => void;

const CONDITIONS: readonly (keyof ProfileCondition)[] = ["zones", "apiTypes", "clients", "roles", "purposes"];
const CHOICE: readonly (keyof ProfileChoice)[] = ["when", "profile"];
const SENSITIVE: readonly (keyof SensitiveRule)[] = ["category", "fate", "unless", "notice"];
const UNLESS: readonly (keyof SensitiveCondition)[] = ["roles", "purposes", "consent"];

/**
 * Checks that lists are lists, objects objects and functions functions, before anything is read from them. A text where a
 * list of names belongs would be searched for parts of names: `clients: "records-app"` would mean `app` as well.
 */
export function checkShape(options: object, found: Findings): void {
  const wrong = (path: string, message: string) => found.add(path, "invalid-shape", message);
  const texts: Check = (value, path) => {
    const fine = Array.isArray(value) && value.every((item) => typeof item === "string" && item !== "");
    if (!fine) wrong(path, 'write a list of texts, `["a", "b"]`');
  };
  const listOf =
    (check: Check, what: string): Check =>
    (value, path) => {
      if (!Array.isArray(value)) wrong(path, `write a list of ${what}, \`[...]\``);
      else for (const [index, item] of value.entries()) check(item, join(path, index));
    };
  const object =
    (what: string, members: Readonly<Record<string, Check>>, known?: readonly string[]): Check =>
    (value, path) => {
      if (typeof value !== "object" || value === null || Array.isArray(value)) return wrong(path, `write ${what}`);
      if (known !== undefined) refuseUnknownKeys(found, value, known, path);
      for (const [name, check] of Object.entries(members)) {
        const member: unknown = (value as Readonly<Record<string, unknown>>)[name];
        if (member !== undefined) check(member, join(path, name));
      }
    };
  const aFunction: Check = (value, path) => {
    if (typeof value !== "function") wrong(path, "give a function");
  };
  const text: Check = (value, path) => {
    if (typeof value !== "string" || value === "") wrong(path, "give a text");
  };
  const aBoolean: Check = (value, path) => {
    if (typeof value !== "boolean") wrong(path, "write true or false");
  };
  const zones: Check = (value, path) => {
    texts(value, path);
    const known: readonly unknown[] = TRUST_ZONES;
    if (Array.isArray(value) && !value.every((zone) => known.includes(zone))) {
      wrong(path, `zones are ${TRUST_ZONES.join(", ")}`);
    }
  };

  const rule: Check = (value, path) => {
    object("a rule, `{ path, action }`", {}, ["path", "action"])(value, path);
    if (typeof value === "object" && value !== null) text((value as { path?: unknown }).path, join(path, "path"));
  };
  const rules = listOf(rule, "rules");
  const unless = object("a condition", { roles: texts, purposes: texts, consent: aBoolean }, UNLESS);
  const sensitive = listOf(
    object("a rule, `{ category, fate }`", { unless: listOf(unless, "conditions") }, SENSITIVE),
    "rules",
  );
  const ownProfile = object(`a profile of your own, or the name of one: ${Object.keys(PRESETS).join(", ")}`, {
    name: text,
    only: texts,
    rules,
    sensitive,
  });
  const profile: Check = (value, path) => {
    if (typeof value !== "string") ownProfile(value, path);
  };
  const when = object(
    "a condition",
    { zones, apiTypes: texts, clients: texts, roles: texts, purposes: texts },
    CONDITIONS,
  );
  const choice: Check = (value, path) => {
    object("a choice, `{ when, profile }`", { when, profile }, CHOICE)(value, path);
    const { profile: chosen } = (value ?? {}) as Partial<ProfileChoice>;
    if (typeof value === "object" && value !== null && chosen === undefined) wrong(join(path, "profile"), "name one");
  };
  object("an object", {
    profile,
    profiles: listOf(choice, "choices"),
    sensitive,
    categories: listOf(
      object("a category", { name: text, labels: texts, codes: listOf(object("codes", {}), "codes") }),
      "categories",
    ),
    consent: aFunction,
    pseudonyms: object("{ purpose, keyId, keys }", {}),
    cipher: object("a `fieldCipher()`", { prepare: aFunction, encryptField: aFunction }),
    json: rules,
    smallZipAreas: texts,
    extraParameters: texts,
    baseUrls: texts,
    intermediary: text,
    now: aFunction,
  })(options, "");
}
