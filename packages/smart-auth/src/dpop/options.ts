import { randomBytes } from "node:crypto";
import { type Findings, join, refuseUnknownKeys } from "@wardline/policy-types";
import { checkBooleans, isWithin } from "../checks.ts";
import { ALGORITHMS } from "../key-set.ts";
import type { DpopOptions, DpopSettings } from "./settings.ts";

const DEFAULT_ALGORITHMS: readonly string[] = Object.freeze(["ES256", "ES384", "PS256"]);
const DEFAULT_WINDOW_SECONDS = 60;
const DEFAULT_FUTURE_SECONDS = 5;
const NONCE_KEY_BYTES = 32;

const KNOWN = [
  "algorithms",
  "windowSeconds",
  "futureSeconds",
  "requireNonce",
  "nonceKey",
] as const satisfies readonly (keyof DpopOptions)[];

export function parseDpop(found: Findings, options: DpopOptions, path: string): DpopSettings | undefined {
  if (options === null || typeof options !== "object") {
    found.add(path, "not-an-object", "must be an object; `{}` takes the defaults");
    return undefined;
  }
  refuseUnknownKeys(found, options, KNOWN, path);
  checkBooleans(found, options, ["requireNonce"], path);
  const { algorithms = DEFAULT_ALGORITHMS, nonceKey, requireNonce = nonceKey !== undefined } = options;
  const areKnown = Array.isArray(algorithms) && algorithms.every((alg: unknown) => ALGORITHMS.includes(String(alg)));
  if (!areKnown || algorithms.length === 0) {
    found.add(join(path, "algorithms"), "unknown-value", `choose from ${ALGORITHMS.join(", ")}`);
  }
  const windowSeconds = options.windowSeconds ?? DEFAULT_WINDOW_SECONDS;
  if (!isWithin(windowSeconds, 1, 300)) {
    found.add(join(path, "windowSeconds"), "out-of-range", "must be between 1 and 300 seconds");
  }
  const futureSeconds = options.futureSeconds ?? DEFAULT_FUTURE_SECONDS;
  if (!isWithin(futureSeconds, 0, 60)) {
    found.add(join(path, "futureSeconds"), "out-of-range", "must be between 0 and 60 seconds");
  }
  if (nonceKey !== undefined && !(nonceKey instanceof Uint8Array && nonceKey.length >= NONCE_KEY_BYTES)) {
    found.add(join(path, "nonceKey"), "too-short", "must be at least 32 random bytes");
  }
  if (nonceKey !== undefined && !requireNonce) {
    found.add(join(path, "requireNonce"), "contradiction", "a nonce that is not required protects nothing");
  }
  return Object.freeze({
    algorithms: Object.freeze([...algorithms]),
    windowSeconds,
    futureSeconds,
    ...(requireNonce ? { nonceKey: Uint8Array.from(nonceKey ?? randomBytes(NONCE_KEY_BYTES)) } : {}),
  });
}
