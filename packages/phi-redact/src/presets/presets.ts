import { DEFAULT_RULES, defineProfile, type RedactionProfile } from "../profile/rules.ts";
import { BILLING, DIRECTORY, MINIMUM_NECESSARY, SCHEDULING, TELEMETRY } from "./minimum-necessary.ts";
import { SAFE_HARBOR } from "./safe-harbor.ts";

/**
 * Records of substance-use programmes leave only where the patient's consent permits, with the notice; free text, in which they are quoted,
 * does not leave.
 *
 * @see 42 CFR 2.31, 2.32
 */
const PART_2: RedactionProfile = defineProfile({
  name: "42cfr-part2",
  rules: [
    { path: "Annotation", action: "remove" },
    { path: "Attachment", action: "remove" },
    { path: "CodeableConcept.text", action: "remove" },
    { path: "Account.name", action: "remove" },
  ],
  sensitive: [{ category: "substance-use", fate: "drop", unless: [{ consent: true }], notice: "42cfr-part2" }],
});

/** The whole resource, for zones whose callers may have it. Sensitive categories stay withheld. */
const FULL: RedactionProfile = defineProfile({
  name: "full",
  rules: DEFAULT_RULES.map(({ path }) => ({ path, action: "keep" as const })),
});

/** Profiles that can be named instead of written. */
export const PRESETS: Readonly<Record<PresetName, RedactionProfile>> = Object.freeze({
  "minimum-necessary": MINIMUM_NECESSARY,
  "minimum-necessary/scheduling": SCHEDULING,
  "minimum-necessary/billing": BILLING,
  "minimum-necessary/telemetry": TELEMETRY,
  "minimum-necessary/directory": DIRECTORY,
  "safe-harbor": SAFE_HARBOR,
  "42cfr-part2": PART_2,
  full: FULL,
});

export type PresetName =
  | "minimum-necessary"
  | "minimum-necessary/scheduling"
  | "minimum-necessary/billing"
  | "minimum-necessary/telemetry"
  | "minimum-necessary/directory"
  | "safe-harbor"
  | "42cfr-part2"
  | "full";
