import { hash } from "node:crypto";
import type { TrustZone } from "@wardline/policy-types";
import { type Finding, type Pattern, SEVERITIES, type Severity } from "../detectors/detector.ts";
import type { Observation } from "../watch/watch.ts";
import type { ToldAlert, Whom } from "./told.ts";

/** What was seen, against which threshold, over what time, of whom. Names nobody. */
export interface Alert {
  /** The same on every instance that sees the same: receivers can drop what they have. */
  readonly id: string;
  readonly pattern: Pattern;
  readonly severity: Severity;
  /** Milliseconds since the epoch: when the record that raised it arrived. */
  readonly at: number;
  readonly whom: Whom;
  /** What the pattern means: a fixed sentence. */
  readonly summary: string;
  readonly findings: readonly Finding[];
  /** The record that raised it: the audit trail has the rest. */
  readonly requestId: string;
  readonly zone?: TrustZone;
  /** How often the same was seen and not told since the alert before. */
  readonly suppressed: number;
}

export interface Alerts {
  /** The alert, or nothing when the same was told a short while ago. */
  raise(observation: Observation): Alert | undefined;
  /** What was told, the last first, and what takes it in again. */
  remembered(): Iterable<readonly [key: string, alert: ToldAlert]>;
  recall(key: string, alert: ToldAlert): void;
}

/**
 * Tells each pattern of each caller once in `repeatSeconds`, and again at once when it has become worse. Remembers at most
 * `maxRemembered`; beyond, the oldest are told again.
 */
export function createAlerts(repeatSeconds: number, maxRemembered = 10_000): Alerts {
  const told = new Map<string, { readonly at: number; readonly severity: Severity; suppressed: number }>();

  return {
    raise(observation) {
      const { pattern, severity, whom, sighting } = observation;
      const key = `${pattern} ${whom.kind} ${whom.pseudonym}`;
      const before = told.get(key);
      if (
        before !== undefined &&
        sighting.at - before.at < repeatSeconds * 1000 &&
        !isWorse(severity, before.severity)
      ) {
        before.suppressed++;
        return undefined;
      }
      told.delete(key);
      if (told.size >= maxRemembered) told.delete(told.keys().next().value as string);
      told.set(key, { at: sighting.at, severity, suppressed: 0 });
      return alertOf(observation, repeatSeconds, before?.suppressed ?? 0);
    },
    remembered: () => [...told].reverse(),
    recall(key, alert) {
      if (told.size < maxRemembered) told.set(key, { ...alert });
    },
  };
}

function alertOf(observation: Observation, repeatSeconds: number, suppressed: number): Alert {
  const { pattern, severity, whom, findings, sighting } = observation;
  const period = Math.floor(sighting.at / (repeatSeconds * 1000));
  return Object.freeze({
    id: hash("sha256", [pattern, severity, whom.kind, whom.pseudonym, period].join(" "), "base64url").slice(0, 27),
    pattern,
    severity,
    at: sighting.at,
    whom,
    summary: SUMMARIES[pattern],
    findings,
    requestId: sighting.requestId,
    ...(sighting.zone === undefined ? {} : { zone: sighting.zone }),
    suppressed,
  });
}

function isWorse(severity: Severity, than: Severity): boolean {
  return SEVERITIES.indexOf(severity) > SEVERITIES.indexOf(than);
}

const SUMMARIES: Readonly<Record<Pattern, string>> = Object.freeze({
  "credential-stuffing": "logins fail in a number that no forgotten password explains",
  "token-guessing": "tokens that are not valid are most of what an address sends",
  "patient-enumeration": "patients are asked for one after the other",
  "bulk-access": "more is read in a day than the caller's history or its peers explain",
  "scope-probing": "many different things are asked for that the token does not cover",
  scanner: "requests look like those of a scanner",
  "export-misuse": "exports are started or tried more often than data change",
  "break-glass-overuse": "break-glass is used for more patients than an emergency has",
  "impossible-travel": "one person is at two places too far apart for the time between",
  "silent-wakes": "a client that was silent for weeks is busy",
});
