/** What is done to an element that must not leave as it is. */
export type RedactionAction =
  | "keep"
  | "remove"
  | "mask"
  | "generalise"
  | "pseudonymise"
  | "encrypt"
  | { readonly mask: { readonly last: number } };

/** What of each resource may leave, and in which form: see `RedactionProfile` of phi-redact. */
export interface RedactionProfilePolicy {
  /** Types (`Observation`) and elements (`Patient.name`) that may leave. Absent: everything no rule removes. */
  readonly only?: readonly string[];
  /** As StructureDefinitions write paths: `Patient.contact.name`. The longest wins. */
  readonly rules?: readonly { readonly path: string; readonly action: RedactionAction }[];
}

/** For whom a profile is. Every part that is given must hold. */
export interface RedactionChoicePolicy {
  readonly when?: {
    readonly clients?: readonly string[];
    readonly roles?: readonly string[];
    readonly purposes?: readonly string[];
  };
  /** A preset (`minimum-necessary/billing`), or a profile of the policy. */
  readonly profile: string;
}

/** What happens to a sensitive category unless one of the conditions holds. */
export interface SensitivePolicy {
  /** `substance-use`, `psychiatric`, `hiv`, ... */
  readonly category: string;
  readonly fate: "drop" | "redact" | "encrypt";
  readonly unless?: readonly {
    readonly roles?: readonly string[];
    readonly purposes?: readonly string[];
    readonly consent?: boolean;
  }[];
}

/** Profiles of this edge, and the keys their rules need. */
export interface RedactionPolicy {
  /** By name. A route names one of these or a preset. */
  readonly profiles?: Readonly<Record<string, RedactionProfilePolicy>>;
  /** Under every profile. */
  readonly sensitive?: readonly SensitivePolicy[];
  /** For rules that pseudonymise: where the keys are, base64url, at least 32 bytes each. */
  readonly pseudonyms?: {
    /** The same value has another token for another purpose. */
    readonly purpose: string;
    /** Key new tokens are made with. */
    readonly keyId: string;
    /** By id (one to eight of `a-z0-9`). */
    readonly keys: Readonly<Record<string, string>>;
  };
  /** For rules that encrypt: a key ring file and where its passphrase is. */
  readonly encryption?: { readonly keyRing: string; readonly passphrase: string };
}

/** Identifiers of persons where they must not stand: see `dlp` of phi-redact. */
export interface DlpPolicy {
  readonly path?: "refuse" | "report" | "off";
  readonly query?: "refuse" | "report" | "off";
  readonly headers?: "refuse" | "report" | "off";
  /** Searches that name a person in their URL. `require-post` answers how to ask instead. Default `report`. */
  readonly searches?: "require-post" | "report" | "off";
}
