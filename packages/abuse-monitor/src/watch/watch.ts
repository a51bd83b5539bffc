import { DETECTORS } from "../detectors/all.ts";
import {
  type Detector,
  type Finding,
  PATTERNS,
  type Pattern,
  SEVERITIES,
  type Severity,
  type Step,
} from "../detectors/detector.ts";
import { type PeerLevel, stepPeers } from "../detectors/peers.ts";
import type { Thresholds } from "../detectors/thresholds.ts";
import type { HistoryEntry, HistoryHead } from "../history/entry.ts";
import { type Callers, createCallers } from "./callers.ts";
import type { CallerKind } from "./pseudonym.ts";
import type { Sighting } from "./sighting.ts";
import { createTable } from "./table.ts";

/** A pattern seen at one caller. */
export interface Observation {
  readonly pattern: Pattern;
  readonly severity: Severity;
  readonly whom: { readonly kind: CallerKind; readonly pseudonym: string };
  readonly findings: readonly Finding[];
  readonly sighting: Sighting;
}

export interface Watch {
  /** Takes one sighting into the state of everybody it concerns. */
  see(sighting: Sighting): readonly Observation[];
  /** Callers remembered, by kind. */
  tracked(): Readonly<Record<CallerKind, number>>;
  /** Seconds the windows of each pattern cover. */
  readonly windows: HistoryHead["windows"];
  /** What it knows, of whoever was seen last first; can be gone through in pieces while more is seen. */
  remembered(): Iterable<HistoryEntry>;
  /** Takes one entry in, in place of what is known. What is seen of windows of another length begins anew. */
  recall(entry: HistoryEntry, windows: HistoryHead["windows"]): void;
}

interface Kind {
  readonly kind: CallerKind;
  readonly detectors: readonly Detector[];
  /** Their detectors' states, one column each. */
  readonly callers: Callers;
  /** Those nobody has proved to be, where that can be told: anybody can make up such names. */
  readonly claimed?: Callers;
}

/**
 * The detectors with the memory they need: at most `maxCallers` of each kind. Those that were not seen for longest are
 * forgotten first; addresses and claimed names, of users and of clients, which anybody can make up, never displace proven callers.
 */
export function createWatch(thresholds: Thresholds, maxCallers: number): Watch {
  const kinds: readonly Kind[] = KINDS.map((kind) => {
    const detectors = DETECTORS.filter(({ by }) => by === kind);
    const callers = createCallers(maxCallers, detectors.length);
    if (kind !== "client") return { kind, detectors, callers };
    return { kind, detectors, callers, claimed: createCallers(maxCallers, detectors.length) };
  });
  const windows = windowsOf(thresholds);
  const peers = createTable<PeerLevel>(MOST_PEER_GROUPS);

  return {
    see(sighting) {
      const group = sighting.peers;
      const surroundings = { thresholds, peers: () => (group === undefined ? undefined : peers.get(group)) };
      let observations: Observation[] | undefined;
      for (const { kind, detectors, callers: proven, claimed } of kinds) {
        const pseudonym = sighting[kind];
        if (pseudonym === undefined) continue;
        let callers = proven;
        let row = proven.find(pseudonym);
        if (row < 0 && claimed !== undefined) {
          if (sighting.clientClaimed) {
            callers = claimed;
            row = claimed.find(pseudonym);
          } else row = prove(pseudonym, claimed, proven);
        }
        for (let index = 0; index < detectors.length; index++) {
          const detector = detectors[index] as Detector;
          const state = row < 0 ? undefined : callers.get(row, index);
          if (!detector.concerns(sighting, state !== undefined)) continue;
          const step = detector.step(state, sighting, surroundings);
          if (row < 0) row = callers.add(pseudonym);
          if (step.state !== state) callers.set(row, index, step.state);
          if (step.closed !== undefined && group !== undefined)
            peers.set(group, stepPeers(peers.get(group), step.closed));
          if (step.findings.length === 0) continue;
          const { pattern } = detector;
          observations ??= [];
          const severity = severityOf(detector, step);
          observations.push({ pattern, severity, whom: { kind, pseudonym }, findings: step.findings, sighting });
        }
      }
      return observations ?? NOTHING_SEEN;
    },
    tracked: () => trackedBy(kinds),
    windows,
    *remembered() {
      for (const [group, level] of peers.newestFirst()) yield { peers: [group, level] };
      for (const { kind, detectors, callers, claimed } of kinds) {
        for (const [pseudonym, found] of callers.newestFirst()) {
          yield { caller: [kind, pseudonym, statesOf(detectors, found)] };
        }
        for (const [pseudonym, found] of claimed?.newestFirst() ?? []) {
          yield { caller: [kind, pseudonym, statesOf(detectors, found)], claimed: true };
        }
      }
    },
    recall(entry, before) {
      if ("peers" in entry) peers.set(...entry.peers);
      if (!("caller" in entry)) return;
      const [kind, pseudonym, states] = entry.caller;
      const known = kinds.find((one) => one.kind === kind);
      if (known === undefined) return;
      const { detectors, callers: proven, claimed = proven } = known;
      const callers = entry.claimed === true ? claimed : proven;
      const kept = detectors.map(({ pattern }) => (before[pattern] === windows[pattern] ? states[pattern] : undefined));
      if (kept.every((state) => state === undefined)) return;
      const found = callers.find(pseudonym);
      const row = found < 0 ? callers.add(pseudonym) : found;
      for (const [index, state] of kept.entries()) callers.set(row, index, state);
    },
  };
}

/** What is known of a caller by its name alone is known of whoever has proved to be it. */
function prove(pseudonym: string, claimed: Callers, proven: Callers): number {
  if (claimed.size === 0) return -1;
  const known = claimed.take(pseudonym);
  return known === undefined ? -1 : proven.add(pseudonym, known);
}

function statesOf(detectors: readonly Detector[], found: readonly unknown[]): Partial<Record<Pattern, unknown>> {
  const states: Partial<Record<Pattern, unknown>> = {};
  for (const [index, { pattern }] of detectors.entries()) {
    if (found[index] !== undefined) states[pattern] = found[index];
  }
  return states;
}

function windowsOf(thresholds: Thresholds): HistoryHead["windows"] {
  const windows: Partial<Record<Pattern, number>> = {};
  for (const pattern of PATTERNS) {
    const group: object = thresholds[camelCase(pattern) as keyof Thresholds];
    if ("windowSeconds" in group) windows[pattern] = Number(group.windowSeconds);
  }
  return windows;
}

function camelCase(pattern: string): string {
  return pattern.replace(/-([a-z])/g, (_dash, letter: string) => letter.toUpperCase());
}

const KINDS: readonly CallerKind[] = ["address", "client", "subject", "claimed"];
const NOTHING_SEEN: readonly Observation[] = Object.freeze([]);
const MOST_PEER_GROUPS = 2000;

function trackedBy(kinds: readonly Kind[]): Record<CallerKind, number> {
  const tracked: Record<CallerKind, number> = { address: 0, client: 0, subject: 0, claimed: 0 };
  for (const { kind, callers, claimed } of kinds) {
    tracked[kind] += callers.size;
    tracked.claimed += claimed?.size ?? 0;
  }
  return tracked;
}

/** Five times its threshold makes a finding one degree worse, twenty-five times two. */
function severityOf({ severity }: Detector, { findings, atMost = "critical" }: Step<unknown>): Severity {
  const times = Math.max(...findings.map(({ value, threshold }) => value / threshold));
  const degrees = (times >= 5 ? 1 : 0) + (times >= 25 ? 1 : 0);
  const reached = SEVERITIES.indexOf(severity) + degrees;
  return SEVERITIES[Math.min(reached, SEVERITIES.indexOf(atMost))] as Severity;
}
