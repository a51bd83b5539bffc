import type { InteractionCode } from "@wardline/policy-types";
import type { RequestContext } from "@wardline/policy-types/express";

/** Glass was broken, or somebody tried. For an alarm; the audit record has it as well, as the reason `break-glass`. */
export interface BreakGlassEvent {
  /** `refused`: an emergency was declared and not believed: no role for it, no reading, or a sign-in too old. */
  readonly kind: "broken" | "refused";
  /** What became of the request. */
  readonly outcome: "permit" | "deny";
  readonly requestId: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly issuer: string;
  readonly subject: string;
  readonly clientId?: string;
  readonly roles: readonly string[];
  /** Code of v3-ActReason. */
  readonly purpose: string;
  readonly interaction: InteractionCode;
  readonly resourceType?: string;
}

/** A declared emergency, and whether it counts. */
export type GlassAttempt = Pick<BreakGlassEvent, "kind" | "purpose">;

export function breakGlassEvent(
  { requestId, principal, interaction }: RequestContext,
  { kind, purpose }: GlassAttempt,
  outcome: BreakGlassEvent["outcome"],
  at: number,
): BreakGlassEvent {
  const { issuer = "", subject = "", clientId, roles = [] } = principal ?? {};
  return Object.freeze({
    kind,
    outcome,
    requestId,
    at,
    issuer,
    subject,
    ...(clientId === undefined ? {} : { clientId }),
    roles,
    purpose,
    interaction: interaction?.code ?? "unknown",
    ...(interaction?.type === undefined ? {} : { resourceType: interaction.type }),
  });
}
