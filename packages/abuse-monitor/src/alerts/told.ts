import type { Severity } from "../detectors/detector.ts";
import type { CallerKind } from "../watch/pseudonym.ts";

/** Somebody, by keyed hash: `pseudonymOf` of the monitor finds who is meant by trying. */
export interface Whom {
  readonly kind: CallerKind;
  readonly pseudonym: string;
}

/** The last time something was told, and how often it was seen since. */
export interface ToldAlert {
  readonly at: number;
  readonly severity: Severity;
  readonly suppressed: number;
}
