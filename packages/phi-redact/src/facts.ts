import type { ApiType, TrustZone } from "@wardline/policy-types";
import type { RequestContext } from "@wardline/policy-types/express";

/** What of the caller decides which data leave. */
export interface AccessFacts {
  readonly zone: TrustZone | undefined;
  readonly apiType: ApiType | undefined;
  readonly clientId: string | undefined;
  readonly organisation: string | undefined;
  readonly roles: readonly string[];
  /** Codes of v3-ActReason. */
  readonly purposes: readonly string[];
}

export function readFacts({ zone, apiType, principal }: RequestContext): AccessFacts {
  return {
    zone,
    apiType,
    clientId: principal?.clientId,
    organisation: principal?.organisation,
    roles: principal?.roles ?? [],
    purposes: principal?.purposeOfUse ?? [],
  };
}
