import type { Pseudonymiser } from "../actions/pseudonym.ts";
import type { Fate } from "../categories/rules.ts";
import type { FieldCipher } from "../encrypt/field.ts";
import type { Machine } from "../profile/machine.ts";
import type { State } from "../profile/steps.ts";
import type { JsonObject } from "../values.ts";

/** What was done to a resource, as bits: `labels.ts` says it in HL7's words. */
export const REMOVED = 1;
export const MASKED = 2;
export const PSEUDONYMISED = 4;
export const GENERALISED = 8;
/** Nothing was done to it, but it must not be passed on. */
export const NOTICED = 16;

/** What the rules need besides the profile. */
export interface Tools {
  readonly machine: Machine;
  readonly pseudonymiser: Pseudonymiser | undefined;
  readonly cipher: FieldCipher | undefined;
  readonly now: () => number;
  /** First three digits of US postal codes whose area is too small to be named. */
  readonly smallAreas: ReadonlySet<string>;
  readonly fateOf: (resource: JsonObject) => Fate;
  /** Does this resource leave by a consent that demands a notice? Asked of what leaves. */
  readonly isNoticed: (resource: JsonObject) => boolean;
  readonly onNotice: () => void;
  /** False: `fateOf` keeps everything, and nothing is withheld. */
  readonly withholds: boolean;
  /** Is this reference one to a resource that does not leave? */
  readonly isWithheld: (reference: string) => boolean;
  /** Does this resource refer to one that does not leave as it is, of which its narratives may tell? */
  readonly isSilenced: (resource: JsonObject) => boolean;
  /** Does this URL search by something the caller may not see? */
  readonly probes: (url: string) => boolean;
  /** True: `Bundle.total` may count what does not leave. */
  readonly hidesTotals: boolean;
  /** True: an absent resource in an answer to a batch would tell one that does not leave from it. */
  readonly hidesAbsence: boolean;
}

/** One walk. The only thing it changes is itself. */
export interface Walk extends Tools {
  effects: number;
  /** Walks one object; one resource inside or outside of others. */
  readonly object: (node: JsonObject, state: State, walk: Walk) => JsonObject | undefined;
  readonly resource: (node: JsonObject, isContained: boolean, walk: Walk) => JsonObject | undefined;
  /** Element names from the outermost resource down, kept only where a ciphertext needs them. */
  readonly path: string[];
  readonly isTracked: boolean;
  resourceType: string;
  id: string | undefined;
  /** The identifier being walked, whose system is the domain of its value. */
  system: string | undefined;
}

/** The body cannot be judged: it is not what R4 says it is. */
export class UnjudgeableError extends Error {
  override readonly name = "UnjudgeableError";
}
