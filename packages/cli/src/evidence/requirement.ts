/** One thing a law asks, and what of it this edge can carry. */
export interface Requirement {
  readonly law: "HIPAA Security Rule" | "HIPAA Privacy Rule" | "HITECH" | "CMS-9115-F and CMS-0057-F";
  readonly citation: string;
  readonly asks: string;
  /** 45 CFR 164.306(d): required, or addressable: implement, or document why not and use an equivalent. */
  readonly kind?: "required" | "addressable";
  readonly controls: readonly MappedControl[];
  /** What no software can do for the operator. */
  readonly duty?: string;
}

export interface MappedControl {
  readonly package: string;
  readonly does: string;
  readonly settings: readonly PolicySetting[];
  /** Rules whose tests show it: titles that begin with their names. */
  readonly rules: readonly string[];
  /** Test files that show it as a whole, below the package's test folder. */
  readonly suites?: readonly string[];
}

/** A member of the policy: `issuers[].maxLifetimeSeconds`; `*` stands for every name. */
export interface PolicySetting {
  readonly path: string;
  /** What holds when the policy does not say. */
  readonly otherwise: string;
}

export function setting(path: string, otherwise: string): PolicySetting {
  return Object.freeze({ path, otherwise });
}
