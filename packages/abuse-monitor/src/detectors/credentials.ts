import type { Sighting } from "../watch/sighting.ts";
import { type CountWindow, countIn, countOf, type DistinctWindow, distinctIn } from "../watch/windows.ts";
import { type Detector, QUIET, reached } from "./detector.ts";

/** Attempts and failures of one caller, kept from its first failure on. */
interface Failures {
  readonly all: CountWindow;
  readonly failed: CountWindow;
  readonly different?: DistinctWindow;
}

/** Failures in one window, beside everything that was tried. */
function stepFailures(
  before: Failures | undefined,
  { at }: Sighting,
  failed: boolean,
  windowSeconds: number,
  different?: number,
): Failures {
  const names =
    different === undefined ? before?.different : distinctIn(before?.different, at, windowSeconds, different);
  return {
    all: countIn(before?.all, at, windowSeconds),
    failed: countIn(before?.failed, at, windowSeconds, failed ? 1 : 0),
    ...(names === undefined ? {} : { different: names }),
  };
}

function shareOf({ all, failed }: Failures): number {
  return countOf(failed) / Math.max(1, countOf(all));
}

/** A pseudonym's last 32 bits. */
function numberOf(pseudonym: string | undefined): number | undefined {
  return pseudonym === undefined ? undefined : Number.parseInt(pseudonym.slice(-8), 16) | 0;
}

/** Many failed logins from one address, or many names tried there. */
export const stuffingByAddress: Detector<Failures> = {
  pattern: "credential-stuffing",
  by: "address",
  severity: "high",
  concerns: ({ ending }, known) => ending === "login-refused" || (known && ending === "served"),
  step(before, sighting, { thresholds: { credentialStuffing: limits } }) {
    const failed = sighting.ending === "login-refused";
    const different = failed ? numberOf(sighting.claimed) : undefined;
    const state = stepFailures(before, sighting, failed, limits.windowSeconds, different);
    if (!failed || shareOf(state) < limits.failureShare) return { state, findings: QUIET };
    const { windowSeconds } = limits;
    const names = reached(windowSeconds, "distinct-names", state.different?.size ?? 0, limits.namesPerAddress);
    const failures = countOf(state.failed);
    return { state, findings: reached(windowSeconds, "failed-logins", failures, limits.addressFailures, names) };
  },
};

/** Many failed logins through one app, from wherever. */
export const stuffingByClient: Detector<Failures> = {
  pattern: "credential-stuffing",
  by: "client",
  severity: "medium",
  concerns: ({ ending }, known) => ending === "login-refused" || (known && ending === "served"),
  step(before, sighting, { thresholds: { credentialStuffing: limits } }) {
    const failed = sighting.ending === "login-refused";
    const state = stepFailures(before, sighting, failed, limits.windowSeconds);
    if (!failed || shareOf(state) < limits.failureShare) return { state, findings: QUIET };
    const failures = countOf(state.failed);
    return { state, findings: reached(limits.windowSeconds, "failed-logins", failures, limits.clientFailures) };
  },
};

/** One name tried again and again, or from many addresses. */
export const stuffingByName: Detector<Failures> = {
  pattern: "credential-stuffing",
  by: "claimed",
  severity: "medium",
  concerns: ({ ending }) => ending === "login-refused",
  step(before, sighting, { thresholds: { credentialStuffing: limits } }) {
    const state = stepFailures(before, sighting, true, limits.windowSeconds, numberOf(sighting.address));
    const { windowSeconds } = limits;
    const addresses = state.different?.size ?? 0;
    const many = reached(windowSeconds, "distinct-addresses", addresses, limits.addressesPerName);
    const failures = countOf(state.failed);
    return { state, findings: reached(windowSeconds, "failed-logins", failures, limits.nameFailures, many) };
  },
};

/** Tokens that are not valid, most of what an address sends. */
export const tokenGuessing: Detector<Failures> = {
  pattern: "token-guessing",
  by: "address",
  severity: "high",
  concerns: ({ ending }, known) => ending === "token-refused" || (known && ending !== "anonymous"),
  step(before, sighting, { thresholds: { tokenGuessing: limits } }) {
    const failed = sighting.ending === "token-refused";
    const state = stepFailures(before, sighting, failed, limits.windowSeconds);
    if (!failed || shareOf(state) < limits.failureShare) return { state, findings: QUIET };
    const failures = countOf(state.failed);
    return { state, findings: reached(limits.windowSeconds, "refused-tokens", failures, limits.failures) };
  },
};
