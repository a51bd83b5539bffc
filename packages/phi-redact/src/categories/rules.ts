/** What is to become of a whole resource before its elements are looked at. */
export type Fate = "keep" | "drop" | "redact" | "encrypt";

/** What happens to a category unless one of the conditions holds. */
export interface SensitiveRule {
  /** Name of a category: `substance-use`. */
  readonly category: string;
  /** `drop`: as if it did not exist. `redact`: an empty shell. `encrypt`: every element, for readers with the right. */
  readonly fate: Exclude<Fate, "keep">;
  /** Absent: nobody gets it. */
  readonly unless?: readonly SensitiveCondition[];
  /** What leaves by consent carries this notice: a header, and labels on each resource. Default none. */
  readonly notice?: "42cfr-part2";
}

/** Every part that is given must hold; a condition without parts holds for nobody. */
export interface SensitiveCondition {
  readonly roles?: readonly string[];
  /** Codes of v3-ActReason; a narrower purpose counts as the broader one. */
  readonly purposes?: readonly string[];
  /** True: the consent registry must permit this category for every patient of the resource. */
  readonly consent?: boolean;
}

/** What was decided about one resource. */
export interface Ruling {
  readonly fate: Fate;
  /** It leaves only because its patients consented, under a rule that demands a notice. */
  readonly isNoticed: boolean;
}

/** What the patients agreed to, fetched before the handler ran. */
export interface ConsentView {
  /** Does this patient's consent permit this category for this caller? */
  permits(patient: string, category: string): boolean;
}
