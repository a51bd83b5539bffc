import type { Whom } from "../alerts/told.ts";
import type { CallerKind } from "../watch/pseudonym.ts";

export const ACTIONS = ["slow-down", "step-up", "block"] as const;
export type Action = (typeof ACTIONS)[number];

/** Something done about a caller, for a time. */
export interface Measure {
  readonly action: Action;
  readonly whom: Whom;
  /** `proposed`: waits for a human to confirm it. `lifted`: an operator's override; the policy may not impose it again until then. */
  readonly state: "active" | "proposed" | "lifted";
  /** What one request counts at the throttle, for `slow-down`. */
  readonly cost?: number;
  /** Milliseconds since the epoch. */
  readonly since: number;
  readonly until: number;
  readonly changedAt: number;
  readonly by: "policy" | "operator";
  /** Name of the operator who changed it last. */
  readonly operator?: string;
  /** The pattern, or the operator's reason. */
  readonly because: string;
  readonly alertId?: string;
}

export interface MeasureChange {
  readonly kind: "imposed" | "proposed" | "confirmed" | "lifted";
  readonly measure: Measure;
}

/** Names a measure in lists, in the store and for operators. */
export function measureId({ action, whom }: Pick<Measure, "action" | "whom">): string {
  return `${action}/${whom.kind}/${whom.pseudonym}`;
}

/**
 * Which of two versions of one measure holds, the same on every instance and in whichever order they come. The later
 * change; of two at the same time the operator's.
 */
export function later(a: Measure, b: Measure): Measure {
  if (a.changedAt !== b.changedAt) return a.changedAt > b.changedAt ? a : b;
  if (a.by !== b.by) return a.by === "operator" ? a : b;
  return a.until >= b.until ? a : b;
}

/** Reads a measure that another instance wrote; nothing that is not whole. */
export function parseMeasure(text: string): Measure | undefined {
  let value: Partial<Measure> & { readonly whom?: Partial<Whom> };
  try {
    value = JSON.parse(text) as typeof value;
  } catch {
    return undefined;
  }
  if (value === null || typeof value !== "object") return undefined;
  const { action, whom, state, cost, since, until, changedAt, by, operator, because, alertId } = value;
  const whole =
    ACTIONS.includes(action as Action) &&
    KINDS.includes(whom?.kind as CallerKind) &&
    /^[0-9a-f]{16}$/.test(String(whom?.pseudonym)) &&
    ["active", "proposed", "lifted"].includes(String(state)) &&
    ["policy", "operator"].includes(String(by)) &&
    [since, until, changedAt].every(Number.isSafeInteger) &&
    [cost].every((number) => number === undefined || (Number.isFinite(number) && number >= 1)) &&
    typeof because === "string" &&
    [operator, alertId].every((word) => word === undefined || typeof word === "string");
  return whole ? (value as Measure) : undefined;
}

const KINDS: readonly CallerKind[] = ["address", "client", "subject", "claimed"];
