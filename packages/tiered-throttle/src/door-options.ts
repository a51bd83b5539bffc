import { findings, refuseUnknownKeys } from "@wardline/policy-types";
import { checkObject, checkPositive, checkWindowSeconds } from "./checks.ts";
import { COUNTING, type CountingOptions, checkCounting, withCounting } from "./counting-options.ts";

export interface DoorThrottleOptions extends CountingOptions {
  /** Requests per window and address. */
  readonly limit: number;
  /** In seconds. */
  readonly windowSeconds: number;
  /** Requests of one address that may be refused with 401 per window, before it is refused at the door. Absent: not counted apart. */
  readonly failures?: { readonly limit: number; readonly windowSeconds: number };
}

export type ParsedDoor = Required<Omit<DoorThrottleOptions, "failures">> & Pick<DoorThrottleOptions, "failures">;

/** Fills in defaults. Throws a `ConfigurationError` with every mistake. */
export function parseDoor(options: DoorThrottleOptions): ParsedDoor {
  const found = findings();
  refuseUnknownKeys(found, options, ["limit", "windowSeconds", "failures", ...COUNTING]);
  checkCounting(found, options);
  checkPositive(found, "limit", options.limit);
  checkWindowSeconds(found, "windowSeconds", options.windowSeconds);
  const { limit, windowSeconds, failures } = options;
  if (failures !== undefined && checkObject(found, "failures", failures, "write { limit, windowSeconds }")) {
    refuseUnknownKeys(found, failures, ["limit", "windowSeconds"], "failures");
    checkPositive(found, "failures.limit", failures.limit);
    checkWindowSeconds(found, "failures.windowSeconds", failures.windowSeconds);
  }
  found.throwIfAny("doorThrottle options");
  const counting = withCounting(options);
  return Object.freeze({
    ...counting,
    limit,
    windowSeconds,
    ...(failures && { failures: Object.freeze({ ...failures }) }),
  });
}
