import { ConfigurationError, type Findings, findings, join, refuseUnknownKeys } from "@wardline/policy-types";
import { SMALL_ZIP_AREAS } from "./actions/generalise.ts";
import { type Pseudonymiser, type PseudonymKeys, pseudonymiser } from "./actions/pseudonym.ts";
import { createDetector, type Detector } from "./categories/detect.ts";
import { SENSITIVE_CATEGORIES, type SensitiveCategory } from "./categories/lists.ts";
import type { ConsentView, SensitiveRule } from "./categories/rules.ts";
import type { FieldCipher } from "./encrypt/field.ts";
import type { AccessFacts } from "./facts.ts";
import { type JsonPathRule, type JsonRule, parseJsonRules } from "./json/rules.ts";
import { PRESETS, type PresetName } from "./presets/presets.ts";
import { compileProfile, type Machine } from "./profile/machine.ts";
import type { RedactionProfile, RuleAction } from "./profile/rules.ts";
import type { ProfileChoice, ProfileCondition } from "./select.ts";
import { checkShape } from "./shape.ts";

export interface PhiRedactOptions {
  /** For callers that no choice of `profiles` fits. Absent: they are refused. */
  readonly profile?: PresetName | RedactionProfile;
  /** The first whose condition holds is applied. */
  readonly profiles?: readonly ProfileChoice[];
  /** What happens to sensitive categories, under every profile. Default none. */
  readonly sensitive?: readonly SensitiveRule[];
  /** In place of `SENSITIVE_CATEGORIES`. */
  readonly categories?: readonly SensitiveCategory[];
  /** What the patients agreed to, asked once for each request that needs it. Absent: nobody consented. */
  readonly consent?: (facts: AccessFacts) => Promise<ConsentView> | ConsentView;
  /** Our own deadline for `consent` and for the cipher's keys, in milliseconds. Default 2000. */
  readonly prepareTimeoutMs?: number;
  /** For rules that pseudonymise. */
  readonly pseudonyms?: PseudonymKeys;
  /** For rules that encrypt: `fieldCipher()`. */
  readonly cipher?: FieldCipher;
  /** Rules for a route that is no FHIR; in place of profiles. */
  readonly json?: readonly JsonRule[];
  /** In place of `SMALL_ZIP_AREAS`. */
  readonly smallZipAreas?: readonly string[];
  /** Search parameters beyond R4 that read no hidden element: the server's paging. Default none. */
  readonly extraParameters?: readonly string[];
  /**
   * What becomes of `_elements` and `_summary` where sensitive categories are withheld, which only whole resources show.
   * `refuse`: 403. `leave-out`: whole resources are asked for and given in their place, as R4 permits; for handlers that go by
   * `req.url` and `req.body`, as a handler that reads `req.originalUrl` would still give parts. Default `refuse`.
   */
  readonly parts?: "refuse" | "leave-out";
  /** Absolute URLs of this FHIR base, as they stand in references. Default none. */
  readonly baseUrls?: readonly string[];
  /** Name of this host for `X-Intermediary`, which R4 asks of whoever changes content. Default none. */
  readonly intermediary?: string;
  /** Largest request body that is read to find partial resources. Default 1 MiB. */
  readonly requestBytes?: number;
  readonly now?: () => number;
}

/** A profile with the rules about categories that come with it. */
export interface CompiledChoice {
  readonly when: ProfileCondition;
  readonly machine: Machine;
  readonly sensitive: readonly SensitiveRule[];
}

export interface ParsedOptions {
  readonly choices: readonly CompiledChoice[];
  readonly detect: Detector;
  readonly consent: PhiRedactOptions["consent"];
  readonly prepareTimeoutMs: number;
  readonly pseudonymiser: Pseudonymiser | undefined;
  readonly cipher: FieldCipher | undefined;
  readonly json: readonly JsonPathRule[] | undefined;
  readonly smallAreas: ReadonlySet<string>;
  readonly extraParameters: ReadonlySet<string>;
  readonly leavesPartsOut: boolean;
  readonly baseUrls: readonly string[];
  readonly intermediary: string | undefined;
  readonly requestBytes: number;
  readonly now: () => number;
}

const KNOWN: readonly (keyof PhiRedactOptions)[] = [
  "profile",
  "profiles",
  "sensitive",
  "categories",
  "consent",
  "prepareTimeoutMs",
  "pseudonyms",
  "cipher",
  "json",
  "smallZipAreas",
  "extraParameters",
  "parts",
  "baseUrls",
  "intermediary",
  "requestBytes",
  "now",
];

/** Checks the options and compiles every profile. Throws a `ConfigurationError` with all findings. */
export function parseOptions(options: PhiRedactOptions): ParsedOptions {
  const found = findings();
  refuseUnknownKeys(found, options, KNOWN);
  checkShape(options, found);
  checkNumbers(options, found);
  // What follows reads lists and objects.
  if (found.issues.some(({ code }) => code === "invalid-shape")) found.throwIfAny("phiRedact()");
  const categories = options.categories ?? SENSITIVE_CATEGORIES;
  const names = new Set(categories.map(({ name }) => name));
  const choices = choicesOf(options, found);
  if (options.json === undefined && options.profile === undefined && !options.profiles?.length) {
    found.add("profile", "required", `give a profile: ${Object.keys(PRESETS).join(", ")}, or one of your own`);
  }
  if (options.json !== undefined && (options.profile ?? options.profiles ?? options.sensitive) !== undefined) {
    found.add("json", "conflict", "a route is FHIR with profiles, or plain JSON with `json` rules");
  }
  if (!["refuse", "leave-out", undefined].includes(options.parts)) {
    found.add("parts", "unknown-value", "use refuse or leave-out");
  }
  const json = options.json && parseJsonRules(options.json, found, "json");
  if (options.json?.length === 0) found.add("json", "required", "no rule redacts nothing");
  checkSensitive(options, choices, names, found);
  checkNeeds(options, choices, json, found);
  found.throwIfAny("phiRedact()");
  return Object.freeze({
    choices,
    detect: createDetector(categories),
    consent: options.consent,
    prepareTimeoutMs: options.prepareTimeoutMs ?? 2000,
    pseudonymiser: options.pseudonyms && pseudonymiser(options.pseudonyms),
    cipher: options.cipher,
    json,
    smallAreas: new Set(options.smallZipAreas ?? SMALL_ZIP_AREAS),
    extraParameters: new Set(options.extraParameters),
    leavesPartsOut: options.parts === "leave-out",
    baseUrls: Object.freeze([...(options.baseUrls ?? [])]),
    intermediary: options.intermediary,
    requestBytes: options.requestBytes ?? 1024 * 1024,
    now: options.now ?? Date.now,
  });
}

function choicesOf(options: PhiRedactOptions, found: Findings): readonly CompiledChoice[] {
  const { profile, profiles = [], sensitive = [] } = options;
  const given: readonly (readonly [string, ProfileChoice])[] = [
    ...profiles.map((choice, index) => [join("profiles", index), choice] as const),
    ...(profile === undefined ? [] : [["profile", { when: {}, profile }] as const]),
  ];
  return given.flatMap(([where, choice]) => {
    const when = choice.when ?? {};
    const whole = typeof choice.profile === "string" ? presetOf(choice.profile, where, found) : choice.profile;
    const machine = whole && compiled(whole, where, found);
    return machine === undefined ? [] : [{ when, machine, sensitive: [...sensitive, ...(whole?.sensitive ?? [])] }];
  });
}

function presetOf(name: PresetName, where: string, found: Findings): RedactionProfile | undefined {
  if (Object.hasOwn(PRESETS, name)) return PRESETS[name];
  found.add(where, "unknown-profile", `known profiles are ${Object.keys(PRESETS).join(", ")}`);
  return undefined;
}

/** The findings of a profile are findings of the options, under its place. */
function compiled(profile: RedactionProfile, where: string, found: Findings): Machine | undefined {
  try {
    return compileProfile(profile);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    for (const { path, code, message } of error.issues) found.add(join(where, path), code, message);
    return undefined;
  }
}

function checkSensitive(
  { sensitive = [] }: PhiRedactOptions,
  choices: readonly CompiledChoice[],
  names: ReadonlySet<string>,
  found: Findings,
): void {
  for (const { category, fate } of new Set([...sensitive, ...choices.flatMap((choice) => choice.sensitive)])) {
    if (!names.has(category))
      found.add("sensitive", "unknown-category", `known categories are ${[...names].join(", ")}`);
    if (!FATES.has(fate)) found.add("sensitive", "unknown-fate", "a category is dropped, redacted or encrypted");
  }
}

const FATES: ReadonlySet<string> = new Set(["drop", "redact", "encrypt"]);

/** A rule whose key is missing would fail on the first answer: it is found at the start instead. */
function checkNeeds(
  { pseudonyms, cipher }: PhiRedactOptions,
  choices: readonly CompiledChoice[],
  json: readonly JsonPathRule[] | undefined,
  found: Findings,
): void {
  const actions: readonly (RuleAction | JsonRule["action"])[] = [
    ...choices.flatMap(({ machine }) => (machine.profile.rules ?? []).map(({ action }) => action)),
    ...(json ?? []).map(({ action }) => action),
  ];
  const encrypts =
    actions.includes("encrypt") || choices.some((one) => one.sensitive.some(({ fate }) => fate === "encrypt"));
  if (encrypts && cipher === undefined) found.add("cipher", "required", "a rule encrypts: give a `fieldCipher()`");
  if (actions.includes("pseudonymise") && pseudonyms === undefined) {
    found.add("pseudonyms", "required", "a rule pseudonymises: give the keys");
  }
}

function checkNumbers(
  { prepareTimeoutMs = 1, requestBytes = 1, smallZipAreas }: PhiRedactOptions,
  found: Findings,
): void {
  if (!(typeof prepareTimeoutMs === "number" && prepareTimeoutMs > 0 && prepareTimeoutMs <= 60_000)) {
    found.add("prepareTimeoutMs", "out-of-range", "a number of milliseconds from 1 to 60000");
  }
  if (!(Number.isSafeInteger(requestBytes) && requestBytes > 0))
    found.add("requestBytes", "out-of-range", "a whole number of bytes above 0");
  const areas: readonly unknown[] = Array.isArray(smallZipAreas) ? smallZipAreas : [];
  if (!areas.every((area) => /^\d{3}$/.test(String(area)))) {
    found.add("smallZipAreas", "invalid-area", "three digits each");
  }
}
