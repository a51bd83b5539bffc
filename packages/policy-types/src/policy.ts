import type {
  BreakGlassPolicy,
  ClientPolicy,
  ConditionPolicy,
  ConsentPolicy,
  DevicePolicy,
  DpopPolicy,
} from "./policy-authority.ts";
import type { DlpPolicy, RedactionPolicy } from "./policy-data.ts";
import type {
  AbusePolicy,
  ApiDocumentsPolicy,
  CorsPolicy,
  HostileInputPolicy,
  IdentityPolicy,
  UsagePolicy,
} from "./policy-edge.ts";
import type { IssuerEntry } from "./policy-issuers.ts";
import type { BulkExportPolicy, DoorPolicy, PoolsPolicy, RedisPolicy, TierPolicy } from "./policy-limits.ts";
import type { AdminPolicy, ListenerPolicy, PlaintextPolicy } from "./policy-listeners.ts";
import type { RoutePolicy, RouteSource } from "./policy-routes.ts";
import type { SignInPolicy } from "./policy-sign-in.ts";
import type { UpstreamPolicy } from "./policy-upstreams.ts";
import type { TrustZone } from "./zones.ts";

/**
 * A whole edge as one document. Authored in YAML, JSON or TypeScript, checked by `schema/policy.schema.json` and by rules
 * across fields, identified by the hash of its content.
 */
export interface PolicyDocument {
  /** Version of this format. */
  readonly wardline: 1;
  readonly name: string;
  /** Scheme, host and port that clients see, without a path: `https://fhir.example.org`. */
  readonly publicOrigin: string;
  /** Plain http for issuers, upstreams and the edge itself, on loopback addresses only; said loudly at start. */
  readonly development?: boolean;
  readonly listen?: ListenerPolicy;
  /** Further doors by name, where zones differ in their TLS or must not share one. */
  readonly listeners?: Readonly<Record<string, ListenerPolicy>>;
  /** How a TLS terminator in `trustedProxies` reports the client's certificate. Default: only this edge's own TLS counts. */
  readonly clientCertificateHeader?: { readonly format: "rfc9440" | "nginx" | "envoy" | "aws"; readonly name?: string };
  /** A port that answers plain http with a redirect or a refusal. Default none. */
  readonly plaintext?: PlaintextPolicy;
  /** The operator's listener: `/healthz` and `/readyz`. Host default 127.0.0.1. Absent: none. */
  readonly admin?: AdminPolicy;
  /** Empty where nobody comes with a token: every route belongs to devices. */
  readonly issuers: readonly IssuerEntry[];
  /** By name. */
  readonly upstreams: Readonly<Record<string, UpstreamPolicy>>;
  /** By name. */
  readonly tiers: Readonly<Record<string, TierPolicy>>;
  readonly routes: readonly RoutePolicy[];
  /** The endpoints of the authorisation server, where it stands behind this edge. Absent: it does not. */
  readonly signIn?: SignInPolicy;
  /** Counted at the door per address before any crypto. */
  readonly door?: DoorPolicy;
  /** Room that is kept for some traffic. Absent: first come, first served. */
  readonly pools?: PoolsPolicy;
  /** Exports answered later by this edge itself, for routes with the operation `export`. Absent: by the upstream. */
  readonly bulkExport?: BulkExportPolicy;
  /** State that several instances share. Absent: each counts for itself. */
  readonly redis?: RedisPolicy;
  /** Applications and what they were approved for. Absent: every client, for its token's scopes. */
  readonly clients?: readonly ClientPolicy[];
  /** Rules on roles, purpose, sign-in, network, hours. Default none. */
  readonly conditions?: readonly ConditionPolicy[];
  readonly breakGlass?: BreakGlassPolicy;
  /** What patients withhold. Absent: nothing is withheld. */
  readonly consent?: ConsentPolicy;
  /** Devices that come with a certificate in place of a token. Needed by routes of the device zone. */
  readonly devices?: readonly DevicePolicy[];
  /** Tokens bound to a key are accepted in any case; this says how. */
  readonly dpop?: DpopPolicy;
  /** Seal page links with these 32-byte keys (base64url), the same for all instances. Default: a key of this process. */
  readonly pageLinks?: { readonly keys: readonly string[]; readonly lifetimeSeconds?: number };
  readonly redaction?: RedactionPolicy;
  /** Identifiers of persons in URLs and headers. Default: refused in paths, told of queries and searches. */
  readonly dlp?: DlpPolicy | false;
  /** Default `{}`: patterns of abuse are told. */
  readonly abuse?: AbusePolicy | false;
  readonly cors?: CorsPolicy;
  /** Names this edge answers for. Default every name. */
  readonly hosts?: readonly string[];
  readonly hostileInput?: HostileInputPolicy;
  /** Who is calling, told to upstreams. Absent: they are not told. */
  readonly identity?: IdentityPolicy;
  /** Figures of use and prior authorisation. Absent: none are kept. */
  readonly usage?: UsagePolicy;
  /** Absent: nobody is told what there is. */
  readonly apiDocuments?: ApiDocumentsPolicy;
  /** This edge serves a payer: the routes CMS-0057-F asks for must be there. */
  readonly payer?: boolean;
  readonly limits?: {
    /** Default 1 MiB. */
    readonly requestBodyBytes?: number;
    /** Largest answer that is judged in memory. Default 25 MiB. */
    readonly responseBodyBytes?: number;
  };
  readonly audit: {
    /** Folder of the ledger's segment files. */
    readonly folder: string;
    /** `before-response`: an answer waits until its record is on disk. Default `before-response`. */
    readonly durability?: "before-response" | "async";
    /** What a request sees when the ledger cannot write. Default `refuse`. */
    readonly onFailure?: "refuse" | "continue";
    /** Name of this edge among its siblings: lower-case letters, digits, hyphens. Default `edge`. */
    readonly instance?: string;
    /** Days after which whole files of the ledger expire. Default 2192: six years. */
    readonly retentionDays?: number;
    /** How events name patients, users and devices: in clear, or as keyed hashes; by zone or for all. Default `clear`. */
    readonly identifiers?: "clear" | "hashed" | Readonly<Partial<Record<TrustZone, "clear" | "hashed">>>;
  };
  /** CIDR ranges whose forwarding headers are believed. Default none. */
  readonly trustedProxies?: readonly string[];
}

/**
 * A policy as people write it: what is left out takes the defaults of `completePolicy`. A whole patient-access edge is an
 * upstream and an issuer:
 *
 * ```yaml
 * upstream: https://ehr.internal.example/r4
 * issuer: https://id.example.org
 * ```
 */
export interface PolicySource extends Partial<Omit<PolicyDocument, "routes" | "audit">> {
  /** For editors; means nothing. */
  readonly $schema?: string;
  /** Short for `upstreams: { fhir: { url } }`. */
  readonly upstream?: string;
  /** Short for one entry of `issuers`. */
  readonly issuer?: string;
  /** Key set of the short issuer; without `issuer` it is the issuer `*`. */
  readonly jwksUri?: string;
  /** Audiences of the short issuer. Default: the address of each route. */
  readonly audience?: string | readonly string[];
  /** Default: one route `/fhir` of the patient zone that reads and searches. */
  readonly routes?: readonly RouteSource[];
  /** `folder` defaults to `wardline-audit` in the working directory. */
  readonly audit?: Partial<PolicyDocument["audit"]>;
}

/** Types a policy written in TypeScript, and freezes it. It is checked when the gateway loads it. */
export function definePolicy<const Policy extends PolicySource>(policy: Policy): Policy {
  return deepFreeze(policy);
}

function deepFreeze<Value>(value: Value): Value {
  if (value !== null && typeof value === "object" && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) deepFreeze(part);
  }
  return value;
}
