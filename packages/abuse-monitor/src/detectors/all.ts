import { bulkAccess } from "./bulk.ts";
import { stuffingByAddress, stuffingByClient, stuffingByName, tokenGuessing } from "./credentials.ts";
import type { Detector } from "./detector.ts";
import { patientEnumeration } from "./enumeration.ts";
import { breakGlassOveruse, exportMisuse } from "./exceptional.ts";
import { impossibleTravel, silentWakes } from "./presence.ts";
import { probingByClient, probingBySubject, scanner } from "./probing.ts";

/** Each detector is only ever given the state it made itself; see `createWatch`. */
export const DETECTORS: readonly Detector[] = Object.freeze([
  stuffingByAddress,
  stuffingByClient,
  stuffingByName,
  tokenGuessing,
  patientEnumeration,
  bulkAccess,
  probingBySubject,
  probingByClient,
  scanner,
  exportMisuse,
  breakGlassOveruse,
  impossibleTravel,
  silentWakes,
]);
