import { address } from "./addresses.ts";
import { email, ip, phone } from "./contacts.ts";
import type { Detection, Detector, Entity } from "./detection.ts";
import { card, deviceId, mbi, mrn, npi, ssn } from "./numbers.ts";
import { birthDate, nameDetector } from "./people.ts";
import { type Shape, shapeOf } from "./shape.ts";

export interface DetectOptions {
  /** What to look for. Default: everything. */
  readonly entities?: readonly Entity[];
  /** Detections below are not reported. Default 0.5. */
  readonly minConfidence?: number;
  /** Names to find: those of `Patient.name` in the same exchange. Default none. */
  readonly names?: readonly string[];
}

/** Looks for identifiers in one text; `hint` is the name it goes by: a parameter, a header, a JSON key. */
export type PhiScanner = (text: string, hint?: string) => readonly Detection[];

/**
 * Prepares a scanner. Where two detections overlap the surer one stays, of two as sure the longer.
 *
 * Does NOT prove that a text is free of PHI: names nobody told of, ages and diagnoses have no shape.
 */
export function phiScanner(options: DetectOptions = {}): PhiScanner {
  const { minConfidence = DEFAULT_CONFIDENCE, entities, names = [] } = options;
  const wanted = (entity: Entity): boolean => entities?.includes(entity) ?? true;
  const byShape = BY_SHAPE.filter(({ entity }) => wanted(entity));
  const byName = wanted("name") && names.length > 0 ? nameDetector(names) : undefined;

  return function scan(text, hint = "") {
    if (text.length < 3) return NOTHING;
    const shape = shapeOf(text);
    const fitting = byShape.filter(({ fits }) => fits(shape)).map(({ detect }) => detect);
    const detectors = byName === undefined ? fitting : [...fitting, byName];
    if (detectors.length === 0) return NOTHING;
    const scanned = { text, hint: hint.toLowerCase() };
    const found: Detection[] = [];
    for (const detect of detectors) {
      for (const detection of detect(scanned)) if (detection.confidence >= minConfidence) found.push(detection);
    }
    return found.length < 2 ? found : withoutOverlaps(found);
  };
}

/** Puts `[ssn]` in the place of what was found. */
export function maskDetections(text: string, detections: readonly Detection[]): string {
  let masked = "";
  let from = 0;
  for (const { entity, start, end } of detections) {
    masked += `${text.slice(from, start)}[${entity}]`;
    from = end;
  }
  return masked + text.slice(from);
}

function withoutOverlaps(found: Detection[]): Detection[] {
  found.sort((a, b) => b.confidence - a.confidence || b.end - b.start - (a.end - a.start) || a.start - b.start);
  const kept: Detection[] = [];
  for (const each of found) {
    if (kept.every((other) => each.end <= other.start || each.start >= other.end)) kept.push(each);
  }
  return kept.sort((a, b) => a.start - b.start);
}

export const DEFAULT_CONFIDENCE = 0.5;
const NOTHING: readonly Detection[] = Object.freeze([]);

interface ShapedDetector {
  readonly entity: Entity;
  readonly detect: Detector;
  /** False when no text of this shape can hold one. */
  readonly fits: (shape: Shape) => boolean;
}
const BY_SHAPE: readonly ShapedDetector[] = [
  { entity: "ssn", detect: ssn, fits: ({ digits }) => digits >= 9 },
  { entity: "mbi", detect: mbi, fits: ({ digits }) => digits >= 5 },
  { entity: "npi", detect: npi, fits: ({ digits }) => digits >= 10 },
  { entity: "mrn", detect: mrn, fits: ({ digits }) => digits >= 5 },
  { entity: "card", detect: card, fits: ({ digits }) => digits >= 12 },
  { entity: "email", detect: email, fits: ({ at }) => at },
  { entity: "phone", detect: phone, fits: ({ digits }) => digits >= 6 },
  { entity: "ip", detect: ip, fits: ({ dots, digits, colons }) => (dots >= 3 && digits >= 4) || colons >= 2 },
  {
    entity: "device-id",
    detect: deviceId,
    fits: ({ digits, colons, hyphens }) => digits >= 3 || colons + hyphens >= 5,
  },
  { entity: "birth-date", detect: birthDate, fits: ({ digits }) => digits >= 5 },
  { entity: "address", detect: address, fits: ({ digits, spaces }) => digits >= 1 && spaces >= 1 },
];
