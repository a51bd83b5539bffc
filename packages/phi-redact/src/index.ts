export { SMALL_ZIP_AREAS } from "./actions/generalise.ts";
export { type Pseudonymiser, type PseudonymKeys, pseudonymiser } from "./actions/pseudonym.ts";
export { type CodeList, SENSITIVE_CATEGORIES, type SensitiveCategory } from "./categories/lists.ts";
export type { ConsentView, SensitiveCondition, SensitiveRule } from "./categories/rules.ts";
export * from "./dlp/index.ts";
export * from "./encrypt/index.ts";
export { dlp } from "./express/dlp.ts";
export { phiRedact } from "./express.ts";
export type { AccessFacts } from "./facts.ts";
export type { JsonRule } from "./json/rules.ts";
export * from "./logs/index.ts";
export type { PhiRedactOptions } from "./options.ts";
export { PRESETS, type PresetName } from "./presets/presets.ts";
export {
  DEFAULT_RULES,
  defineProfile,
  type RedactionProfile,
  type RedactionRule,
  type RuleAction,
} from "./profile/rules.ts";
export { createRedactor, type Redactor } from "./redactor.ts";
export type { ProfileChoice, ProfileCondition } from "./select.ts";
