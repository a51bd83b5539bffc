import type { Whom } from "../alerts/told.ts";
import type { ParsedOptions } from "../options.ts";
import { ACTIONS, type Action, type Measure, type MeasureChange, measureId } from "./measure.ts";
import { DEFAULT_COST, DEFAULT_SECONDS } from "./respond.ts";
import type { MeasureStore } from "./store.ts";

/** What an operator decides, and why. Both go into the audit trail. */
export interface OperatorNote {
  /** Who decides: an account name, not a person's. */
  readonly operator: string;
  readonly because: string;
}

export interface ImposeOptions extends OperatorNote {
  /** Default `block`. */
  readonly action?: Action;
  /** Default 900. */
  readonly seconds?: number;
  /** For `slow-down`. Default 10. */
  readonly cost?: number;
}

/** An operator's hands on the measures, for an admin endpoint. */
export interface Measures {
  /** Those that have not run out: active, proposed, and lifted ones that still keep the policy from acting. */
  list(): readonly (Measure & { readonly id: string })[];
  /** Blocks (or slows down, or steps up) whoever the operator says, protected or not. */
  impose(whom: Whom, options: ImposeOptions): Measure;
  /** Makes a proposed measure active. False: there is none of that id. */
  confirm(id: string, note: OperatorNote): boolean;
  /** Ends a measure; the policy may not impose it again for `overrideSeconds`. False: there is none of that id. */
  lift(id: string, note: OperatorNote): boolean;
}

export function createMeasures(
  store: MeasureStore,
  { now, overrideSeconds }: Pick<ParsedOptions, "now" | "overrideSeconds">,
  onChange: (change: MeasureChange) => void,
): Measures {
  return {
    list: () => store.list().map((measure) => ({ id: measureId(measure), ...measure })),
    impose(whom, { action = "block", seconds = DEFAULT_SECONDS, cost = DEFAULT_COST, operator, because }) {
      checkNote({ operator, because });
      if (!ACTIONS.includes(action) || !(Number.isSafeInteger(seconds) && seconds > 0) || !(cost > 1)) {
        throw new RangeError("a measure needs a known action, whole seconds above zero and a cost above one");
      }
      if (!/^[0-9a-f]{16}$/.test(whom.pseudonym) || whom.kind === "claimed") {
        throw new RangeError("a measure needs the pseudonym of an address, a client or a subject");
      }
      const slow = action === "slow-down" ? { cost } : {};
      const at = now();
      const times = { since: at, until: at + seconds * 1000 };
      return change("imposed", { action, whom, state: "active", ...slow, ...times, ...by({ operator, because }) });
    },
    confirm(id, note) {
      checkNote(note);
      const proposed = store.get(id);
      if (proposed?.state !== "proposed") return false;
      change("confirmed", { ...proposed, state: "active", ...by(note) });
      return true;
    },
    lift(id, note) {
      checkNote(note);
      const measure = store.get(id);
      if (measure === undefined || measure.state === "lifted") return false;
      change("lifted", { ...measure, state: "lifted", until: now() + overrideSeconds * 1000, ...by(note) });
      return true;
    },
  };

  /** Later than what it replaces, whatever the clock of the instance that wrote that. */
  function change(kind: MeasureChange["kind"], measure: Omit<Measure, "changedAt">): Measure {
    const before = store.get(measureId(measure));
    const changed = { ...measure, changedAt: Math.max(now(), (before?.changedAt ?? 0) + 1) };
    store.put(changed);
    onChange({ kind, measure: changed });
    return changed;
  }
}

function by({ operator, because }: OperatorNote): Pick<Measure, "by" | "operator" | "because"> {
  return { by: "operator", operator: operator.slice(0, 128), because: because.slice(0, 256) };
}

/** An override without a name or a reason cannot be answered for. */
function checkNote({ operator, because }: OperatorNote): void {
  if (typeof operator !== "string" || operator.trim() === "" || typeof because !== "string" || because.trim() === "") {
    throw new TypeError("an operator's decision needs a name and a reason");
  }
}
