import type { InteractionCode } from "@wardline/policy-types";
import type { RequestContext } from "@wardline/policy-types/express";

/** Glass was broken, or somebody tried. For an alarm; the audit record has it as well, as the reason `break-glass`. */
export interface BreakGlassEvent {
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

export function breakGlassEvent(
  { requestId, principal, interaction }: RequestContext,
  outcome: BreakGlassEvent["outcome"],
  purpose: string,
  at: number,
): BreakGlassEvent {
  const { issuer = "", subject = "", clientId, roles = [] } = principal ?? {};
  return Object.freeze({
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
