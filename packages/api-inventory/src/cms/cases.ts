import type { PriorAuthEntry } from "./journal-entry.ts";

/** One prior-authorisation request from its submission on. */
export interface PriorAuthCase {
  submittedAt?: number;
  expedited: boolean;
  appealed: boolean;
  extended: boolean;
  /** The first determination, which ends the turnaround. */
  determinedAt?: number;
  first?: Determination;
  /** The determination that stands. */
  last?: Determination;
  approvedAfterAppeal: boolean;
  cancelled: boolean;
}

export type Determination = "approved" | "partial" | "denied";

/** Puts submissions and answers together by the hashes of their identifiers. Bounded: what does not fit is counted. */
export interface Cases {
  add(entry: PriorAuthEntry): void;
  all(): Iterable<PriorAuthCase>;
  /** Submissions that found no room. */
  readonly dropped: number;
}

export function createCases(maxCases: number): Cases {
  const byKey = new Map<string, PriorAuthCase>();
  const all = new Set<PriorAuthCase>();
  let dropped = 0;

  function caseOf(entry: PriorAuthEntry): PriorAuthCase | undefined {
    const known = entry.keys.flatMap((key) => byKey.get(key) ?? [])[0];
    if (known === undefined && all.size >= maxCases) {
      if (entry.event === "submitted") dropped += 1;
      return undefined;
    }
    const found = known ?? open();
    all.add(found);
    for (const key of entry.keys) if (!byKey.has(key)) byKey.set(key, found);
    return found;
  }

  return {
    add(entry) {
      const found = caseOf(entry);
      if (found === undefined) return;
      if (entry.event === "submitted") submit(found, entry);
      else answer(found, entry);
    },
    all: () => all,
    get dropped() {
      return dropped;
    },
  };
}

function open(): PriorAuthCase {
  return { expedited: false, appealed: false, extended: false, approvedAfterAppeal: false, cancelled: false };
}

function submit(found: PriorAuthCase, { at, expedited = false, appeal = false }: PriorAuthEntry): void {
  if (appeal) found.appealed = true;
  // A retry or an appeal of a known request is not another request.
  if (found.submittedAt !== undefined) return;
  found.submittedAt = at;
  found.expedited = expedited;
}

function answer(found: PriorAuthCase, { at, decision, extended = false }: PriorAuthEntry): void {
  if (extended) found.extended = true;
  if (decision === "cancelled") found.cancelled = true;
  if (decision !== "approved" && decision !== "partial" && decision !== "denied") return;
  // An appeal whose first request came another way was denied there.
  if (found.appealed && decision === "approved" && found.last !== "approved") found.approvedAfterAppeal = true;
  found.first ??= decision;
  found.determinedAt ??= at;
  found.last = decision;
}
