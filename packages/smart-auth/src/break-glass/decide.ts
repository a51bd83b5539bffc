import type { Interaction, Principal } from "@wardline/policy-types";
import type { StepUp } from "../conditions/decide.ts";
import { isRecent } from "../conditions/predicates.ts";
import type { BreakGlassSettings } from "./options.ts";

export type GlassVerdict =
  /** Nobody asked for it. */
  | { readonly kind: "whole" }
  | { readonly kind: "broken"; readonly purpose: string }
  | { readonly kind: "refused"; readonly purpose: string; readonly because: string }
  | { readonly kind: "step-up"; readonly purpose: string; readonly stepUp: StepUp; readonly because: string };

/** The purpose for which a caller breaks the glass, by the token or by the header; `undefined` when it is for none. */
function glassPurpose(
  caller: Principal,
  declared: readonly string[],
  { purposes, header }: BreakGlassSettings,
): string | undefined {
  return [...caller.purposeOfUse, ...(header ? declared : [])].find((purpose) => purposes.has(purpose));
}

/**
 * Decides whether a caller who declares an emergency may have the glass broken: by role, for reading, and within the time
 * after a sign-in, which is how it mends by itself. Declaring it without the right to is refused, not overlooked.
 *
 * Does NOT raise the alarm, and does NOT widen any scope.
 *
 * @see https://hl7.org/fhir/R4/security.html#break-the-glass
 */
export function decideBreakGlass(
  {
    caller,
    declared,
    interaction,
    now,
  }: {
    readonly caller: Principal;
    readonly declared: readonly string[];
    readonly interaction: Pick<Interaction, "code" | "entries">;
    readonly now: number;
  },
  settings: BreakGlassSettings,
): GlassVerdict {
  const purpose = glassPurpose(caller, declared, settings);
  if (purpose === undefined) return { kind: "whole" };
  if (!caller.roles.some((role) => settings.roles.has(role))) {
    return { kind: "refused", purpose, because: "break-glass: no role that may" };
  }
  // A11: a batch is what its entries are.
  const asked = [interaction, ...interaction.entries.map((entry) => entry.interaction)];
  if (!asked.every(({ code }) => settings.interactions.has(code))) {
    return { kind: "refused", purpose, because: "break-glass: not for this interaction" };
  }
  const { acr, maxAuthAgeSeconds } = settings;
  const isStrong = acr === undefined || (caller.acr !== undefined && acr.includes(caller.acr));
  if (isStrong && isRecent({ caller, now }, maxAuthAgeSeconds) === true) return { kind: "broken", purpose };
  const stepUp = { ...(acr === undefined ? {} : { acr }), maxAgeSeconds: maxAuthAgeSeconds };
  return { kind: "step-up", purpose, stepUp, because: "break-glass: the sign-in is too weak or too long ago" };
}
