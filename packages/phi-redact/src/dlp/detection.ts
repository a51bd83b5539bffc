/** What a detector can find. Named for the identifier, not for who issues it. */
export const ENTITIES = [
  "ssn",
  "mbi",
  "npi",
  "mrn",
  "card",
  "email",
  "phone",
  "ip",
  "device-id",
  "birth-date",
  "address",
  "name",
] as const;
export type Entity = (typeof ENTITIES)[number];

/** One identifier in a text. Holds no part of the text. */
export interface Detection {
  readonly entity: Entity;
  /** UTF-16 offsets, end exclusive. */
  readonly start: number;
  readonly end: number;
  /** From 0 to 1: what shape, checksum and the words around it say together. */
  readonly confidence: number;
}

/** A text, and the words beside it that say what it is about: a parameter's name, a JSON key, a label. */
export interface Scanned {
  readonly text: string;
  /** Lower case, with what precedes the text elsewhere: `ssn`, `us-ssn`. */
  readonly hint: string;
}

/** Finds one entity, in time linear in the text: every repetition in its patterns is bounded. */
export type Detector = (scanned: Scanned) => Iterable<Detection>;
