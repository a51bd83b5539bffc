import type { PriorAuthDecision, PriorAuthEntry } from "./journal-entry.ts";

/** What came and went for one request, in the order in which it was read. */
export interface CaseEvents {
  readonly submissions: { readonly at: number; readonly expedited: boolean; readonly appeal: boolean }[];
  readonly answers: {
    readonly at: number;
    readonly createdAt?: number;
    readonly decision: PriorAuthDecision;
    readonly extended: boolean;
  }[];
}

/** Puts submissions and answers together by the hashes of their identifiers. Bounded: what does not fit is counted. */
export interface Cases {
  add(entry: PriorAuthEntry): void;
  all(): Iterable<CaseEvents>;
  /** Submissions that found no room. */
  readonly dropped: number;
}

interface OpenCase extends CaseEvents {
  readonly keys: Set<string>;
}

/** A case that is asked about more often has said everything by then. */
const MAX_EVENTS = 32;
const MAX_KEYS = 16;

export function createCases(maxCases: number): Cases {
  const byKey = new Map<string, OpenCase>();
  const all = new Set<OpenCase>();
  let dropped = 0;

  /** Journals of several instances are not in one order, so a key may tie two known cases together. */
  function caseOf(keys: readonly string[]): OpenCase | undefined {
    const [first, ...others] = new Set(keys.flatMap((key) => byKey.get(key) ?? []));
    if (first === undefined && all.size >= maxCases) return undefined;
    const found = first ?? { keys: new Set<string>(), submissions: [], answers: [] };
    all.add(found);
    for (const other of others) {
      all.delete(other);
      found.submissions.push(...other.submissions);
      found.answers.push(...other.answers);
      for (const key of other.keys) claim(found, key);
    }
    for (const key of keys.slice(0, MAX_KEYS)) claim(found, key);
    return found;
  }

  function claim(found: OpenCase, key: string): void {
    found.keys.add(key);
    byKey.set(key, found);
  }

  return {
    add({ event, keys, at, createdAt, expedited = false, appeal = false, decision, extended = false }) {
      const found = caseOf(keys);
      if (found === undefined) {
        if (event === "submitted") dropped += 1;
      } else if (event === "submitted") {
        if (found.submissions.length < MAX_EVENTS) found.submissions.push({ at, expedited, appeal });
      } else if (decision !== undefined && found.answers.length < MAX_EVENTS) {
        found.answers.push({ at, decision, extended, ...(createdAt === undefined ? {} : { createdAt }) });
      }
    },
    all: () => all,
    get dropped() {
      return dropped;
    },
  };
}

export type Determination = "approved" | "partial" | "denied";

/** One request, as the figures count it. */
export interface PriorAuthCase {
  readonly submittedAt: number;
  readonly expedited: boolean;
  /** The first determination and its time, which end the turnaround. */
  readonly first?: { readonly decision: Determination; readonly at: number };
  readonly approvedAfterAppeal: boolean;
  readonly extendedAndApproved: boolean;
  readonly cancelled: boolean;
}

/** Undefined when only answers were seen: it was not submitted here. A retry or an appeal is not another request. */
export function resolveCase({ submissions, answers }: CaseEvents): PriorAuthCase | undefined {
  const [submission] = submissions.toSorted((a, b) => a.at - b.at);
  if (submission === undefined) return undefined;
  const { at: submittedAt, expedited } = submission;
  const appealedAt = Math.min(...submissions.filter(({ appeal }) => appeal).map(({ at }) => at));
  const determined = answers
    .flatMap(({ decision, at, createdAt = at }) =>
      isDetermination(decision)
        ? [{ decision, at: createdAt >= submittedAt ? Math.min(createdAt, at) : at, seenAt: at }]
        : [],
    )
    .sort((a, b) => a.at - b.at);
  const [first] = determined;
  const last = determined.at(-1);
  return {
    submittedAt,
    expedited,
    ...(first === undefined ? {} : { first: { decision: first.decision, at: first.at } }),
    // The first request of an appeal may have come, and been denied, another way.
    approvedAfterAppeal:
      (submission.appeal || (first !== undefined && first.decision !== "approved")) &&
      determined.some(({ decision, seenAt }) => decision === "approved" && seenAt >= appealedAt),
    extendedAndApproved: last?.decision === "approved" && answers.some(({ extended }) => extended),
    cancelled: answers.some(({ decision }) => decision === "cancelled"),
  };
}

function isDetermination(decision: PriorAuthDecision): decision is Determination {
  return decision === "approved" || decision === "partial" || decision === "denied";
}
