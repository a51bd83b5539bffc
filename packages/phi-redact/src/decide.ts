import { patientsOf } from "@wardline/fhir-r4";
import { type Decision, deny, type Interaction, permit, type Reasons } from "@wardline/policy-types";
import type { Json } from "@wardline/policy-types/express";
import { decideBundleFate } from "./categories/bundle.ts";
import { decideFate, mayNeedNotice, type SensitiveFacts, withheldRules } from "./categories/decide.ts";
import { relatedResources } from "./categories/related.ts";
import type { ConsentView, Ruling, SensitiveRule } from "./categories/rules.ts";
import type { AccessFacts } from "./facts.ts";
import type { CompiledChoice, ParsedOptions } from "./options.ts";
import { isPartial, readsPatched, writes } from "./partial.ts";
import {
  INTERACTION_UNKNOWN,
  NO_PROFILE,
  PARTIAL_WRITE,
  PATCH_PROBES,
  SEARCH_PROBES,
  TYPE_WITHHELD,
} from "./problems.ts";
import { linkProbes } from "./profile/links.ts";
import { bodyProbes, probes } from "./profile/probes.ts";
import { selectChoice } from "./select.ts";
import { isObject, type JsonObject } from "./values.ts";
import { type Tools, UnjudgeableError } from "./walk/context.ts";
import { redactResource } from "./walk/resources.ts";

/** What this caller may see, settled before the handler runs. */
export interface Lens {
  readonly choice: CompiledChoice;
  readonly facts: AccessFacts;
  /** Rules about categories that are in force for this caller, unless consent lifts them. */
  readonly rules: readonly SensitiveRule[];
  readonly needs: Needs;
}

/** What has to be fetched before a body can be walked. */
export interface Needs {
  readonly keys: boolean;
  readonly consents: boolean;
}

/** Which profile is applied. No profile, no data. */
export function decideLens(facts: AccessFacts, { choices }: ParsedOptions): Decision<Lens> {
  const choice = selectChoice(choices, facts);
  if (choice === undefined) return deny(NO_PROFILE, ["no profile fits the caller"]);
  const rules = withheldRules(choice.sensitive, facts);
  const { needs, because } = consequencesOf(choice, rules);
  return permit({ choice, facts, rules, needs }, because);
}

interface Consequences {
  readonly needs: Needs;
  readonly because: Reasons;
}

/** Most callers have all of a choice's rules against them, and then the same follows. */
function consequencesOf(choice: CompiledChoice, rules: readonly SensitiveRule[]): Consequences {
  if (rules.length < choice.sensitive.length) return consequences(choice, rules);
  const known = CONSEQUENCES.get(choice) ?? consequences(choice, rules);
  CONSEQUENCES.set(choice, known);
  return known;
}

const CONSEQUENCES = new WeakMap<CompiledChoice, Consequences>();

function consequences({ machine: { profile } }: CompiledChoice, rules: readonly SensitiveRule[]): Consequences {
  const keys =
    rules.some(({ fate }) => fate === "encrypt") || (profile.rules ?? []).some(({ action }) => action === "encrypt");
  const consents = rules.some(({ unless = [] }) => unless.some((condition) => condition.consent === true));
  const because = [`profile ${profile.name}`, ...rules.map(({ category, fate }) => `${category}: ${fate}`)];
  return { needs: Object.freeze({ keys, consents }), because: Object.freeze(because) };
}

/**
 * May this be asked under the profile, and written? Does NOT decide whether the caller may do it at all (smart-auth), nor
 * whether the body is FHIR (fhir-schema).
 */
export function decideRequest(
  interaction: Interaction,
  body: Json | undefined,
  { choice: { machine }, rules }: Lens,
  { extraParameters }: ParsedOptions,
): Decision<true> {
  if (interaction.code === "unknown") return deny(INTERACTION_UNKNOWN, ["the interaction is not known"]);
  const { type } = interaction;
  if (type !== undefined && machine.root(type) === "drop") return deny(TYPE_WITHHELD, [`the profile has no ${type}`]);
  const withholds = rules.length > 0;
  if (probes(interaction, { machine, extraParameters, withholds })) {
    return deny(SEARCH_PROBES, ["A1: a parameter reads an element the profile withholds"]);
  }
  const hides = withholds || machine.profile.name !== "full";
  if (hides && body !== undefined && bodyProbes(interaction, body, { machine, extraParameters, withholds })) {
    return deny(SEARCH_PROBES, ["A1: a match URL reads an element the profile withholds"]);
  }
  if (body === undefined || !writes(interaction)) return permit(true, ["nothing is written"]);
  if (isPartial(body)) return deny(PARTIAL_WRITE, ["the body holds what redaction left"]);
  if (interaction.code === "patch" && machine.profile.name !== "full" && readsPatched(body)) {
    return deny(PATCH_PROBES, ["A1: the patch reads what it patches"]);
  }
  return permit(true, ["the body is whole"]);
}

/** Are there resources that this caller must not know of? Then what is absent looks as they do (A9). */
export function hidesResources({ rules }: Lens): boolean {
  return rules.some(({ fate }) => fate === "drop");
}

/** May an answer hold something that has to carry the notice of 42 CFR 2.32? Asked where the head leaves before the body. */
export function mayCarryNotice({ rules, facts }: Lens): boolean {
  return mayNeedNotice(rules, facts);
}

/** A body, redacted: itself when nothing changes; `undefined` when nothing may leave. `onNotice`: 42 CFR 2.32 applies. */
export function redactBody(
  body: Json,
  lens: Lens,
  consent: ConsentView | undefined,
  options: ParsedOptions,
  onNotice: () => void = nobodyAsks,
): JsonObject | undefined {
  if (!isObject(body)) throw new UnjudgeableError("not a resource of R4");
  const { pseudonymiser, cipher, now, smallAreas, extraParameters } = options;
  const { facts, rules } = lens;
  const { machine } = lens.choice;
  const withholds = rules.length > 0;
  const fates = withholds ? fatesIn(body, rules, { facts, consent }, options) : NOTHING_WITHHELD;
  return redactResource(body, {
    machine,
    pseudonymiser,
    cipher,
    now,
    smallAreas,
    fateOf: fates.fateOf,
    isNoticed: fates.isNoticed,
    onNotice,
    isWithheld: fates.isWithheld,
    isSilenced: fates.isSilenced,
    withholds: fates !== NOTHING_WITHHELD,
    probes: (url) => linkProbes(url, { machine, extraParameters, withholds }),
    hidesTotals: withholds,
    hidesAbsence: hidesResources(lens),
  });
}

const nobodyAsks = (): void => undefined;

type Fates = Pick<Tools, "fateOf" | "isWithheld" | "isSilenced" | "isNoticed">;

const NOTHING_WITHHELD: Fates = Object.freeze({
  fateOf: () => "keep",
  isWithheld: () => false,
  isSilenced: () => false,
  isNoticed: () => false,
});

/** One look over the whole body first: where nothing of the categories is in it, no resource has to be asked. */
function fatesIn(
  body: JsonObject,
  rules: readonly SensitiveRule[],
  { facts, consent }: Pick<SensitiveFacts, "facts" | "consent">,
  { detect, baseUrls }: ParsedOptions,
): Fates {
  const present = detect(body);
  if (!rules.some(({ category }) => present.has(category))) return NOTHING_WITHHELD;
  const patients = (resource: JsonObject): readonly string[] => patientsOf(resource, { baseUrls });
  const sensitive = { facts, consent, patientsOf: patients };
  // Asked of each resource several times: for those that refer to it, for its entry, and for itself.
  const known = new Map<JsonObject, Ruling>();
  const own = (resource: JsonObject): Ruling => {
    let ruling = known.get(resource);
    if (ruling === undefined) {
      const decide = resource["resourceType"] === "Bundle" ? decideBundleFate : decideFate;
      ruling = decide(resource, rules, detect, sensitive);
      known.set(resource, ruling);
    }
    return ruling;
  };
  const related = relatedResources(body, (resource) => own(resource).fate);
  return {
    fateOf: (resource) => related.fates.get(resource) ?? own(resource).fate,
    isNoticed: (resource) => own(resource).isNoticed,
    isWithheld: (reference) => related.isWithheld(reference),
    isSilenced: (resource) => related.isSilenced(resource),
  };
}
