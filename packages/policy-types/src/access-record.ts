import type { InteractionCode } from "./interaction.ts";
import type { ControlName, TrustZone } from "./zones.ts";

/** What one control decided about one request. */
export interface ControlDecision {
  readonly control: ControlName;
  readonly kind: "permit" | "deny";
  readonly because: readonly string[];
  /** `Problem.code`, for a deny. */
  readonly code?: string;
}

/** A request to an endpoint of OAuth, which asks for no data. */
export interface SignInRecord {
  /** Whose endpoint it is. */
  readonly issuer: string;
  readonly endpoint: "authorization" | "token" | "other";
  /** As the request names it; proved only where the record has a principal. */
  readonly clientId?: string;
  /** Of RFC 6749; what is none of its grants is not repeated. */
  readonly grantType?: "authorization_code" | "refresh_token" | "client_credentials" | "password";
}

/**
 * One finished request, as the audit log, the abuse monitor and the inventory see it. Frozen; holds no PHI by
 * construction: no query values, no bodies, no tokens, no names. `patients` and `resource` are references; whether they
 * are stored in clear or as a keyed hash is the audit policy's choice.
 */
export interface AccessRecord {
  readonly requestId: string;
  readonly correlationId?: string;
  readonly traceparent?: string;
  /** Milliseconds since the epoch. */
  readonly receivedAt: number;
  /** Milliseconds from the request's arrival to the end of its answer. */
  readonly latencyMs: number;
  readonly zone?: TrustZone;
  readonly apiType?: string;
  readonly routeId?: string;
  readonly policyVersion?: string;
  readonly method: string;
  readonly interaction: InteractionCode;
  readonly operation?: string;
  readonly resourceType?: string;
  /** `Type/id`, when the request named one. */
  readonly resource?: string;
  /** Parameter names used, without values. */
  readonly parameters: readonly string[];
  /** Patients whose data the answer held or the request named: bare ids. */
  readonly patients: readonly string[];
  /** Those of `patients` whose data the answer held. Absent: all of them, or nobody read the answer. */
  readonly delivered?: readonly string[];
  readonly principal?: {
    readonly issuer: string;
    readonly subject: string;
    readonly clientId?: string;
    readonly organisation?: string;
    readonly device?: string;
    readonly fhirUser?: string;
    readonly roles: readonly string[];
    readonly purposeOfUse: readonly string[];
    readonly scopes: readonly string[];
    readonly tokenId?: string;
    readonly tenant?: string;
  };
  readonly peerAddress?: string;
  /** The caller's address as trusted proxies report it. */
  readonly forwardedAddress?: string;
  readonly clientCertificate?: { readonly subject: string; readonly fingerprint256: string };
  readonly decisions: readonly ControlDecision[];
  /** `permit` when the handler's answer was sent, `deny` when a control refused. */
  readonly outcome: "permit" | "deny";
  /** `Problem.code` of the refusal. */
  readonly problem?: string;
  readonly status: number;
  /** False when the connection ended before the whole answer was sent. */
  readonly completed: boolean;
  readonly requestBytes: number;
  /** Absent when the record was written before a streamed body had ended. */
  readonly responseBytes?: number;
  readonly upstream?: string;
  /** Absent: the request asked for data. */
  readonly signIn?: SignInRecord;
  /** Those of a batch or transaction, in order. Absent: it has none, nobody judged them, or it was refused before its handler. */
  readonly entries?: readonly EntryRecord[];
}

/** What one entry of a batch or transaction asked for, and what became of it. */
export type EntryRecord = Pick<
  AccessRecord,
  | "method"
  | "interaction"
  | "operation"
  | "resourceType"
  | "resource"
  | "parameters"
  | "patients"
  | "delivered"
  | "outcome"
  | "problem"
  | "status"
>;

/** An entry as the request it stands for: of the same caller, at the same time. Its bytes are those of the whole. */
export function accessOfEntry(record: AccessRecord, entry: EntryRecord): AccessRecord {
  const shared = Object.entries(record).filter(([name]) => !OF_THE_WHOLE.has(name));
  return { ...(Object.fromEntries(shared) as unknown as AccessRecord), ...entry, requestBytes: 0 };
}

const OF_THE_WHOLE: ReadonlySet<string> = new Set<keyof AccessRecord>([
  "entries",
  "operation",
  "resourceType",
  "resource",
  "delivered",
  "problem",
  "responseBytes",
]);
