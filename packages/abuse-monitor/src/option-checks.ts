import { type Findings, join, refuseUnknownKeys, TRUST_ZONES } from "@wardline/policy-types";
import type { AlertCarrier } from "./alerts/webhook.ts";
import { PATTERNS, type Pattern, SEVERITIES, type Severity } from "./detectors/detector.ts";
import { ACTIONS } from "./measures/measure.ts";
import type { Responses } from "./measures/respond.ts";
import type { StepUpOptions } from "./problems.ts";

export function checkResponses(found: Findings, responses: Responses): void {
  refuseUnknownKeys(found, responses, PATTERNS, "responses");
  for (const pattern of PATTERNS) {
    const response = responses[pattern];
    if (response === undefined) continue;
    const path = join("responses", pattern);
    refuseUnknownKeys(found, response, ["action", "seconds", "cost", "from"], path);
    if (!["tell", ...ACTIONS].includes(response.action)) {
      found.add(join(path, "action"), "unknown-action", `write one of tell, ${ACTIONS.join(", ")}`);
    }
    const { seconds, cost, from } = response;
    if (seconds !== undefined && !isCount(seconds)) found.add(join(path, "seconds"), "not-a-positive-integer", COUNT);
    if (cost !== undefined && !(Number.isInteger(cost) && cost > 1)) {
      found.add(join(path, "cost"), "not-above-one", "write a whole number above one");
    }
    if (from !== undefined && !SEVERITIES.includes(from as Severity)) {
      found.add(join(path, "from"), "unknown-severity", `write one of ${SEVERITIES.join(", ")}`);
    }
    checkSpoofed(found, path, pattern, response.action);
  }
}

/** Nobody is kept out for a name somebody else typed. */
function checkSpoofed(found: Findings, path: string, pattern: Pattern, action: string): void {
  if (action !== "step-up" || !["token-guessing", "scanner", "credential-stuffing"].includes(pattern)) return;
  found.add(join(path, "action"), "no-user", "nobody is logged in who could step up: write slow-down or block");
}

export function checkStepUp(found: Findings, stepUp: StepUpOptions | undefined): void {
  if (stepUp === undefined) return;
  refuseUnknownKeys(found, stepUp, ["acrValues", "maxAgeSeconds"], "stepUp");
  const { acrValues = [], maxAgeSeconds } = stepUp;
  // They stand in a quoted string of a header, separated by spaces.
  if (!isListOf(acrValues, (value) => /^[!#-[\]-~]{1,256}$/.test(value))) {
    found.add(
      "stepUp.acrValues",
      "malformed",
      "write a list of printable ASCII without spaces, quotes and backslashes",
    );
  }
  if (maxAgeSeconds !== undefined && !isCount(maxAgeSeconds)) {
    found.add("stepUp.maxAgeSeconds", "not-a-positive-integer", COUNT);
  }
}

/** A zone that is none of them, or a name where a list belongs, would protect nobody. */
export function checkReserved(
  found: Findings,
  reserved: { readonly zones?: readonly string[]; readonly apiTypes?: readonly string[] },
): void {
  refuseUnknownKeys(found, reserved, ["zones", "apiTypes"], "reserved");
  const { zones = [], apiTypes = [] } = reserved;
  if (!isListOf(zones, (zone) => (TRUST_ZONES as readonly string[]).includes(zone)))
    found.add("reserved.zones", "unknown-zone", `write a list of ${TRUST_ZONES.join(", ")}`);
  if (!isListOf(apiTypes, (name) => name !== ""))
    found.add("reserved.apiTypes", "not-a-list", "write a list of API types");
}

function isListOf(value: unknown, isOne: (text: string) => boolean): boolean {
  return Array.isArray(value) && value.every((item: unknown) => typeof item === "string" && isOne(item));
}

/** What they throw is nobody's to hear, so what they lack would be alerts that nobody is told. */
export function checkTold(
  found: Findings,
  { logger, carriers = [] }: { readonly logger?: { readonly log: unknown }; readonly carriers?: readonly unknown[] },
): void {
  if (logger !== undefined && typeof logger?.log !== "function") {
    found.add("logger", "not-a-logger", "give an object with a log method, such as a winston logger");
  }
  const isCarrier = (carrier: unknown): boolean => typeof (carrier as AlertCarrier | null)?.send === "function";
  if (!Array.isArray(carriers) || !carriers.every(isCarrier)) {
    found.add("carriers", "not-a-carrier", "write a list of `alertWebhook({ ... })`");
  }
}

export function checkShared(found: Findings, given: object | undefined, hasKey: boolean): void {
  if (given === undefined) return;
  const known = ["sendCommand", "prefix", "deadlineMs", "intervalMs", "retryMs", "maxQueue"] as const;
  const shared = given as Readonly<Record<(typeof known)[number], unknown>>;
  refuseUnknownKeys(found, shared, known, "shared");
  if (!hasKey) found.add("key", "missing", "instances that share need the same key: give 16 random bytes");
  if (typeof shared.sendCommand !== "function") found.add("shared.sendCommand", "not-a-function", "give a function");
  const { prefix = "default" } = shared;
  if (typeof prefix !== "string" || !/^[A-Za-z0-9:._-]{1,64}$/.test(prefix)) {
    found.add("shared.prefix", "malformed", "write 1 to 64 letters, digits or :._-");
  }
  checkCounts(found, shared, ["deadlineMs", "intervalMs", "retryMs", "maxQueue"], "shared");
}

export function checkHistory(found: Findings, given: object | undefined, hasKey: boolean): void {
  if (given === undefined) return;
  const known = ["file", "intervalSeconds", "maxBytes"] as const;
  const history = given as Readonly<Record<(typeof known)[number], unknown>>;
  refuseUnknownKeys(found, history, known, "history");
  if (!hasKey) found.add("key", "missing", "pseudonyms that outlive a restart need a key: give 16 random bytes");
  if (typeof history.file !== "string" || history.file === "") {
    found.add("history.file", "malformed", "write the name of a file");
  }
  checkCounts(found, history, ["intervalSeconds", "maxBytes"], "history");
}

const COUNT = "write a whole number above zero";

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

export function checkCounts<Options extends object>(
  found: Findings,
  options: Options,
  names: readonly (keyof Options & string)[],
  path = "",
): void {
  for (const name of names) {
    if (options[name] !== undefined && !isCount(options[name]))
      found.add(join(path, name), "not-a-positive-integer", COUNT);
  }
}

export function checkFunctions<Options extends object>(
  found: Findings,
  options: Options,
  names: readonly (keyof Options & string)[],
): void {
  for (const name of names) {
    if (options[name] !== undefined && typeof options[name] !== "function") {
      found.add(name, "not-a-function", "give a function");
    }
  }
}
