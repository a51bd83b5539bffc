import type { TrustZone } from "@wardline/policy-types";
import { dayText } from "../dates.ts";
import type { InventoryEntry } from "../entry.ts";
import { actionsOf, type FindingFacts, type InventoryFinding, judge } from "./findings.ts";
import type { EntryUse, Use } from "./observations.ts";
import { type LifeState, lifeState, reviewDue } from "./state.ts";

/** One name and its use. */
export interface UseReport {
  readonly name: string;
  readonly answered: number;
  /** Refused by a control, or nothing answered there. */
  readonly refused: number;
  readonly lastAt: string;
}

export interface EntryReport {
  readonly id: string;
  readonly path: string;
  readonly zone: TrustZone;
  readonly apiType: string;
  readonly owner?: string;
  readonly version?: string;
  readonly dataClass?: string;
  readonly vendor?: InventoryEntry["vendor"];
  readonly dependsOn?: readonly string[];
  readonly successor?: string;
  readonly state: LifeState;
  readonly deprecated?: string;
  readonly retired?: string;
  /** Day on which the vendor's review is due. */
  readonly reviewDue?: string;
  readonly declares: readonly string[];
  readonly answered: number;
  readonly refused: number;
  readonly lastAt?: string;
  readonly actions: readonly UseReport[];
  readonly types: readonly UseReport[];
  /** Who calls, most requests first: whom to tell that it goes. */
  readonly callers: readonly UseReport[];
  readonly scopes: readonly UseReport[];
}

export interface InventoryReport {
  readonly generatedAt: string;
  /** When the oldest request behind this report was seen. */
  readonly observedSince?: string;
  readonly requests: number;
  readonly entries: readonly EntryReport[];
  readonly findings: readonly InventoryFinding[];
}

export function buildReport(facts: FindingFacts): InventoryReport {
  const { entries, observations, now } = facts;
  const { firstAt, total } = observations;
  return {
    generatedAt: new Date(now).toISOString(),
    ...(firstAt === undefined ? {} : { observedSince: new Date(firstAt).toISOString() }),
    requests: total,
    entries: entries.map((entry) => entryReport(entry, observations.entries.get(entry.id), now)),
    findings: judge(facts),
  };
}

const COPIED = ["owner", "version", "dataClass", "vendor", "dependsOn", "successor", "deprecated", "retired"] as const;

function entryReport(entry: InventoryEntry, use: EntryUse | undefined, now: number): EntryReport {
  const { id, path, zone, apiType } = entry;
  const due = reviewDue(entry);
  const copied = Object.fromEntries(COPIED.flatMap((key) => (entry[key] === undefined ? [] : [[key, entry[key]]])));
  return {
    id,
    path,
    zone,
    apiType,
    ...(copied as Pick<EntryReport, (typeof COPIED)[number]>),
    state: lifeState(entry, now),
    ...(due === undefined ? {} : { reviewDue: dayText(due) }),
    declares: actionsOf(entry),
    answered: use?.answered ?? 0,
    refused: (use?.refused ?? 0) + (use?.absent ?? 0),
    ...(use === undefined ? {} : { lastAt: new Date(use.lastAt).toISOString() }),
    actions: usesOf(use?.actions.entries()),
    types: usesOf(use?.types.entries()),
    callers: usesOf(use?.clients.entries()),
    scopes: usesOf(use?.scopes.entries()),
  };
}

function usesOf(uses: readonly [string, Use][] = []): UseReport[] {
  return uses
    .map(([name, { answered, refused, absent, lastAt }]) => ({
      name,
      answered,
      refused: refused + absent,
      lastAt: new Date(lastAt).toISOString(),
    }))
    .sort((a, b) => b.answered + b.refused - (a.answered + a.refused));
}
