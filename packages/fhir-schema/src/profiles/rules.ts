import type { CodeSet } from "./value-sets.ts";

/** A type an element may have, and the profiles its value must conform to, if the profile names any. */
export interface TypeRule {
  readonly code: string;
  /** Canonical URLs; conforming to one is enough. */
  readonly profiles: readonly string[];
  /** Canonical URLs of what a reference may lead to, one of them. */
  readonly targets: readonly string[];
}

/** An invariant, ready to be judged. One of severity `warning` is told of and refuses nothing. */
export interface Invariant {
  readonly key: string;
  readonly severity: "error" | "warning";
  /** Evaluators by the type of the element they judge; `""` for an element that is named by its place. */
  readonly evaluators: ReadonlyMap<string, Evaluator>;
}

export type Evaluator = (
  focus: unknown,
  surroundings: { readonly resource: unknown; readonly root: unknown },
) => boolean;

export interface Discriminator {
  readonly type: string;
  readonly path: string;
}

export interface Slicing {
  readonly discriminators: readonly Discriminator[];
  readonly rules: "open" | "closed" | "openAtEnd";
  readonly ordered: boolean;
}

/** What a profile says of one element, with what it says of its parts. */
export interface ElementRule {
  /** Element id in the profile, for operators: `Observation.component:SystolicBP.value[x]`. */
  readonly id: string;
  /** Place without slices and `[x]`: `Observation.component.value`. */
  readonly path: string;
  /** Last part of `path`. */
  readonly name: string;
  /** One of several types: `value[x]`. */
  readonly choice: boolean;
  readonly min: number;
  readonly max: number;
  readonly types: readonly TypeRule[];
  readonly fixed?: unknown;
  readonly pattern?: unknown;
  readonly maxLength?: number;
  readonly minValue?: number;
  readonly maxValue?: number;
  readonly codes?: CodeSet;
  readonly mustSupport: boolean;
  readonly invariants: readonly Invariant[];
  readonly children: ReadonlyMap<string, ElementRule>;
  readonly slicing?: Slicing;
  readonly slices: readonly SliceRule[];
}

export interface SliceRule extends ElementRule {
  /** Set once every profile is read, because slices may be told apart by other profiles. */
  readonly belongs: (item: Item) => boolean;
}

/** A value at its place. A primitive's `id` and extensions live beside it, under the name with an underscore. */
export interface Item {
  readonly value: unknown;
  readonly extra: unknown;
  /** FHIRPath of names and indexes. */
  readonly path: string;
  /** Known for a choice: the type its name ends with. */
  readonly type?: string;
}

/** A profile by the URL and version others name it with. */
export interface Profile {
  readonly url: string;
  readonly version?: string;
  readonly type: string;
  readonly root: ElementRule;
}

/** The profile of a canonical URL, with or without `|version`. */
export type Profiles = (canonical: string) => Profile | undefined;
