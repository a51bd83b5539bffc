import { dayText } from "../dates.ts";
import { type InventoryEntry, isFhirEntry } from "../entry.ts";
import type { EntryUse, Observations, Use } from "./observations.ts";
import { lifeState, reviewDue } from "./state.ts";

export const INVENTORY_FINDING_CODES = [
  "undeclared-endpoint",
  "undeclared-probe",
  "mounted-undeclared",
  "unknown-client",
  "scope-not-approved",
  "unused-endpoint",
  "unused-interaction",
  "review-overdue",
  "review-missing",
  "owner-missing",
  "deprecated-in-use",
  "retired-in-use",
  "planned-in-use",
  "bound-met",
] as const;
export type InventoryFindingCode = (typeof INVENTORY_FINDING_CODES)[number];

/** Something the owner of an API should look at. */
export interface InventoryFinding {
  readonly code: InventoryFindingCode;
  /** `alarm`: data may leave by a way nobody answers for. `warning`: the registry or the callers must change. */
  readonly severity: "alarm" | "warning" | "notice";
  /** Id of the registry entry. */
  readonly entry?: string;
  /** What it is about: a client id, a scope, an interaction, `GET /path/{}`. */
  readonly subject?: string;
  readonly message: string;
  readonly answered?: number;
  readonly refused?: number;
  readonly lastAt?: string;
}

export interface FindingFacts {
  readonly entries: readonly InventoryEntry[];
  readonly observations: Observations;
  readonly now: number;
  /** Whether the traffic has been watched long enough to call something unused. */
  readonly watchedLongEnough: boolean;
  /** `METHOD /path` of mounted routes that no entry declares. */
  readonly mounted: readonly string[];
}

/** Judges what the registry says against what traffic has shown. */
export function judge(facts: FindingFacts): readonly InventoryFinding[] {
  const { entries, observations, mounted } = facts;
  const found = [
    ...observations.undeclared.entries().map(([subject, use]) => undeclared(subject, use)),
    ...mounted.map((subject) =>
      finding("mounted-undeclared", "warning", "a route is mounted that no entry declares", { subject }),
    ),
    ...entries.flatMap((entry) => judgeEntry(entry, observations.entries.get(entry.id), facts)),
    ...boundsMet(observations),
  ];
  const order = ["alarm", "warning", "notice"];
  return found.sort((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity));
}

function undeclared(subject: string, use: Use): InventoryFinding {
  return use.answered > 0
    ? finding("undeclared-endpoint", "alarm", "something answers that no entry declares", { subject, ...shown(use) })
    : finding("undeclared-probe", "notice", "somebody asked for what no entry declares", { subject, ...shown(use) });
}

function judgeEntry(entry: InventoryEntry, use: EntryUse | undefined, facts: FindingFacts): InventoryFinding[] {
  return [
    ...judgeCallers(entry, use),
    ...judgeLife(entry, use, facts.now),
    ...(facts.watchedLongEnough ? judgeUnused(entry, use, facts.now) : []),
    ...judgeCare(entry, facts.now),
  ];
}

function judgeCallers(
  { id: entry, consumers, approvedScopes }: InventoryEntry,
  use: EntryUse | undefined,
): InventoryFinding[] {
  if (use === undefined) return [];
  const clients =
    consumers === undefined ? [] : use.clients.entries().filter(([client]) => !consumers.includes(client));
  const approved = new Set(approvedScopes?.flatMap((scope) => [scope, `${scope.split("?")[0] ?? ""}?{}`]));
  const scopes = approvedScopes === undefined ? [] : use.scopes.entries().filter(([scope]) => !approved.has(scope));
  return [
    ...clients.map(([subject, one]) =>
      finding(
        "unknown-client",
        one.answered > 0 ? "alarm" : "warning",
        "a client calls that is not among `consumers`",
        {
          entry,
          subject,
          ...shown(one),
        },
      ),
    ),
    ...scopes.map(([subject, one]) =>
      finding("scope-not-approved", "warning", "a token carries a scope that is not among `approvedScopes`", {
        entry,
        subject,
        ...shown(one),
      }),
    ),
  ];
}

const IN_USE = {
  planned: ["planned-in-use", "warning", "it is called before it was introduced"],
  deprecated: ["deprecated-in-use", "warning", "it is deprecated and still called: see its callers"],
  retired: ["retired-in-use", "warning", "it is retired and still called: see its callers"],
} as const;

function judgeLife(entry: InventoryEntry, use: EntryUse | undefined, now: number): InventoryFinding[] {
  const state = lifeState(entry, now);
  if (use === undefined || state === "active") return [];
  const [code, severity, message] = IN_USE[state];
  return [finding(code, severity, message, { entry: entry.id, ...shown(use) })];
}

function judgeUnused(entry: InventoryEntry, use: EntryUse | undefined, now: number): InventoryFinding[] {
  if (["planned", "retired"].includes(lifeState(entry, now))) return [];
  if (use === undefined) return [finding("unused-endpoint", "warning", "nobody calls it", { entry: entry.id })];
  const unused = actionsOf(entry).filter((action) => use.actions.get(action) === undefined);
  return unused.map((subject) =>
    finding("unused-interaction", "notice", "it is declared and nobody uses it", { entry: entry.id, subject }),
  );
}

/** What an entry declares, in the words of `actionOf`. */
export function actionsOf(entry: InventoryEntry): readonly string[] {
  if (!isFhirEntry(entry)) return entry.methods ?? [];
  return [...(entry.interactions ?? []), ...(entry.operations ?? []).map((name) => `operation $${name}`)];
}

function judgeCare(entry: InventoryEntry, now: number): InventoryFinding[] {
  const { id, owner, vendor } = entry;
  const found: InventoryFinding[] = [];
  const due = reviewDue(entry);
  if (owner === undefined) found.push(finding("owner-missing", "notice", "nobody answers for it", { entry: id }));
  if (vendor !== undefined && due === undefined) {
    found.push(
      finding("review-missing", "warning", "its vendor was never reviewed", { entry: id, subject: vendor.name }),
    );
  }
  if (vendor !== undefined && due !== undefined && due <= now) {
    const message = `its vendor's review was due on ${dayText(due)}`;
    found.push(finding("review-overdue", "warning", message, { entry: id, subject: vendor.name }));
  }
  return found;
}

function boundsMet({ undeclared: paths, entries }: Observations): InventoryFinding[] {
  const perEntry = entries.entries().map(([entry, use]) => {
    const dropped = use.clients.dropped + use.scopes.dropped + use.types.dropped + use.actions.dropped;
    return { entry, dropped };
  });
  const message = "there were more names than are kept, so this report is not whole";
  return [
    ...(paths.dropped > 0 ? [finding("bound-met", "warning", message, { subject: "undeclared" })] : []),
    ...perEntry
      .filter(({ dropped }) => dropped > 0)
      .map(({ entry }) => finding("bound-met", "warning", message, { entry })),
  ];
}

function shown({ answered, refused, absent, lastAt }: Use): Pick<InventoryFinding, "answered" | "refused" | "lastAt"> {
  return { answered, refused: refused + absent, lastAt: new Date(lastAt).toISOString() };
}

function finding(
  code: InventoryFindingCode,
  severity: InventoryFinding["severity"],
  message: string,
  about: Partial<InventoryFinding>,
): InventoryFinding {
  return { code, severity, ...about, message };
}
