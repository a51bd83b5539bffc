import type { IncomingMessage, ServerResponse } from "node:http";
import type { Problem } from "../decision.ts";
import { nearest } from "../options.ts";
import { CONTROLS, type ControlName, TRUST_ZONES, type TrustZone, ZONE_PRESETS } from "../zones.ts";
import { contextOf, isPermitted, recordDecision } from "./context.ts";
import { sendProblem } from "./pipeline.ts";

const CONTROL_SKIPPED: Problem = Object.freeze({
  code: "policy-types/control-skipped",
  status: 500,
  issue: "exception",
  detail: "The server is not assembled to answer this request safely.",
});

/**
 * The last stage before a handler: refuses a request that has not passed every control its zone demands, so that a
 * mis-ordered or forgotten middleware closes the route instead of opening it.
 *
 * @param demanded a zone, whose preset names the controls, or the controls themselves (at least one)
 */
export function requireControls(
  demanded: TrustZone | readonly ControlName[],
): (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => void {
  const controls = typeof demanded === "string" ? ZONE_PRESETS[demanded]?.requiredControls : demanded;
  if (controls === undefined || controls.length === 0) {
    throw new TypeError(`requireControls needs a zone (${TRUST_ZONES.join(", ")}) or a list with at least one control`);
  }
  for (const control of controls) refuseMisspelled(control);
  const required = Object.freeze([...controls]);
  let warned = false;

  return function requireControlsMiddleware(req, res, next) {
    const { decisions } = contextOf(req);
    if (required.every((control) => isPermitted(decisions, control))) return next();
    const missing = required.filter((control) => !isPermitted(decisions, control));
    const because = missing.map((control) => `no permit of ${control} in the request context`);
    recordDecision(req, { control: "require-controls", kind: "deny", because, code: CONTROL_SKIPPED.code });
    if (contextOf(req).problem === undefined) warnOnce(missing);
    sendProblem(res, CONTROL_SKIPPED);
  };

  function warnOnce(missing: readonly ControlName[]): void {
    if (warned) return;
    warned = true;
    process.emitWarning(`a request reached requireControls without ${missing.join(", ")}: mount them before it`, {
      code: "WARDLINE_CONTROL_SKIPPED",
    });
  }
}

/** A control of one's own may have any name, but hardly one that is a letter away from a known one. */
function refuseMisspelled(control: ControlName): void {
  if (CONTROLS.some((known) => control === known || control.startsWith(`${known}-`))) return;
  const meant = nearest(control, CONTROLS);
  if (meant !== undefined) throw new TypeError(`no control is called \`${control}\`, did you mean \`${meant}\`?`);
}
