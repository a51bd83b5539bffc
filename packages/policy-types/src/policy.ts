import type { CompartmentRule } from "./grant.ts";
import type { InteractionCode } from "./interaction.ts";
import type {
  BreakGlassPolicy,
  ClientPolicy,
  ConditionPolicy,
  ConsentPolicy,
  DevicePolicy,
  DpopPolicy,
  IntrospectionPolicy,
} from "./policy-authority.ts";
import type { DlpPolicy, RedactionChoicePolicy, RedactionPolicy } from "./policy-data.ts";
import type {
  AbusePolicy,
  ApiDocumentsPolicy,
  CorsPolicy,
  HostileInputPolicy,
  IdentityPolicy,
  RegistryEntryPolicy,
  UsagePolicy,
} from "./policy-edge.ts";
import type {
  BreakerPolicy,
  BulkExportPolicy,
  DoorPolicy,
  PoolsPolicy,
  RedisPolicy,
  TierChoice,
  TierPolicy,
} from "./policy-limits.ts";
import type { OpenApiPolicy } from "./policy-open-api.ts";
import type { ApiType, TrustZone } from "./zones.ts";

/** An authorisation server whose tokens count. */
export interface IssuerPolicy {
  /** Exactly the `iss` of its tokens. `*`, with `jwksUri` and as the only issuer: whatever those keys signed. */
  readonly issuer: string;
  /** Accepted `aud` values: identifiers of this API. One is enough. */
  readonly audience: readonly string[];
  /** Absent: found by discovery (RFC 8414, then OpenID Connect). */
  readonly jwksUri?: string;
  /** Default `["RS256", "RS384", "PS256", "PS384", "ES256", "ES384"]`. */
  readonly algorithms?: readonly string[];
  /** Accept `typ: JWT` and a missing `typ`; id_tokens stay refused. Weakens RFC 9068 section 4. Default false. */
  readonly allowLegacyTyp?: boolean;
  /** Seconds between `iat` and `exp` at most. Default 3600. */
  readonly maxLifetimeSeconds?: number;
  /** Clock difference tolerated, in seconds, 0 to 300. Default 30. */
  readonly leewaySeconds?: number;
  /** How to ask it about tokens. Absent: only JWTs count. */
  readonly introspection?: IntrospectionPolicy;
  /** Which claims say what of the caller, where they are not the usual ones: see `claims` of smart-auth. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** What apps are told in `.well-known/smart-configuration`. Absent: the routes of this issuer publish none. */
  readonly smart?: SmartEndpoints;
}

/** An issuer of a policy. Without `audience` each route expects its own address: a token of one zone opens nothing in another. */
export type IssuerEntry = Omit<IssuerPolicy, "audience"> & Partial<Pick<IssuerPolicy, "audience">>;

/**
 * Where SMART apps begin. All URLs absolute.
 *
 * @see https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html
 */
export interface SmartEndpoints {
  readonly authorizationEndpoint?: string;
  readonly tokenEndpoint: string;
  readonly introspectionEndpoint?: string;
  readonly revocationEndpoint?: string;
  readonly registrationEndpoint?: string;
  readonly managementEndpoint?: string;
  readonly capabilities: readonly string[];
  readonly scopesSupported?: readonly string[];
}

/** A server that holds the data. */
export interface UpstreamPolicy {
  /** Base URL, https unless it is a loopback address under `development`. With `targets` or `srv`: whose names the data bear. */
  readonly url: string;
  /** Servers that share the work, in place of the one of `url`. Each holds the same data under its own base URL. */
  readonly targets?: readonly UpstreamTarget[];
  /** DNS name of SRV records (RFC 2782) that name the servers; they are asked under the scheme and path of `url`. */
  readonly srv?: string;
  /** Seconds after which `srv` is resolved again. Default 30. */
  readonly srvRefreshSeconds?: number;
  /** Asked of each server at an interval; one that fails is left out while another answers. Absent: passive only. */
  readonly probe?: { readonly path?: string; readonly intervalSeconds?: number };
  /** Share of requests that may be asked again of another server when one cannot be reached; reads only. Default 0.1. */
  readonly retryShare?: number;
  /** Until the answer's headers, in milliseconds. Default 30000. */
  readonly headersTimeoutMs?: number;
  /** Between two pieces of the answer's body, in milliseconds. Default 30000. */
  readonly bodyTimeoutMs?: number;
  /** Connections at once. Default 128. */
  readonly connections?: number;
  /** When it is left alone for a while. `{}` takes the defaults. Default on; `false`: never. */
  readonly breaker?: BreakerPolicy | false;
  /** TLS towards it: our certificate, its authorities, its pinned keys. */
  readonly tls?: UpstreamTlsPolicy;
}

/** TLS towards an upstream. */
export interface UpstreamTlsPolicy {
  /** Files of the authorities whose servers count. Default Node's. */
  readonly ca?: readonly string[];
  /** File of our own certificate. */
  readonly cert?: string;
  /** `file:` or `env:` of its key. */
  readonly key?: string;
  /** SHA-256 of public keys, base64: a server with another one is not spoken to. */
  readonly pins?: readonly string[];
  readonly servername?: string;
  readonly minVersion?: "TLSv1.2" | "TLSv1.3";
}

/** One of several servers with the same data. */
export interface UpstreamTarget {
  readonly url: string;
  /** Share of the work in relation to the others. Default 1. */
  readonly weight?: number;
}

/** TLS of a listener. Files are read again when they change, without a restart. */
export interface TlsPolicy {
  /** File of the certificate and its intermediates, PEM. */
  readonly cert: string;
  /** `file:/path` or `env:NAME` of the private key, PEM. */
  readonly key: string;
  /** `env:NAME` or `file:/path` of what opens the key. */
  readonly passphrase?: string;
  /** Files of the only authorities whose clients are known here. */
  readonly clientCa?: readonly string[];
  /** Files of revocation lists, one for every authority of the clients' chains. */
  readonly crl?: readonly string[];
  /** File of an OCSP answer to staple, DER. */
  readonly ocsp?: string;
  /** `required`: no handshake without a certificate that counts. Default `required` where a zone demands it, else `none`. */
  readonly clientCertificates?: "none" | "requested" | "required";
  /** Default TLSv1.2. */
  readonly minVersion?: "TLSv1.2" | "TLSv1.3";
  /** Leaves out what no FIPS 140 module offers, and refuses to start without one. Default false. */
  readonly fips?: boolean;
}

/** The operator's listener. */
export interface AdminPolicy {
  /** Default 127.0.0.1. */
  readonly host?: string;
  readonly port: number;
  readonly tls?: TlsPolicy;
  /** Who may do more than look whether the edge is well: a token of one of the policy's issuers with all of this. */
  readonly operators?: {
    /** `aud` of their tokens. */
    readonly audience: string;
    readonly roles: readonly string[];
    /** How they signed in, one of these. Default `["mfa"]`. */
    readonly amr?: readonly string[];
  };
}

/** A door of the edge: an address, its TLS, and the zones that are reached through it and no others. */
export interface ListenerPolicy {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 8080 for `listen`. 0: any. */
  readonly port?: number;
  /** Zones behind this door. Default for `listen`: those no other door has. */
  readonly zones?: readonly TrustZone[];
  /** Absent: plain http, for a TLS terminator named in `trustedProxies`, or for `development`. */
  readonly tls?: TlsPolicy;
}

/** One piece of the API: what may be asked under this path, by which zone, and who answers. */
export interface RoutePolicy {
  readonly id: string;
  /** Path prefix the FHIR base has on this edge: `/fhir`. No trailing slash. */
  readonly path: string;
  readonly zone: TrustZone;
  readonly apiType: ApiType;
  /** Name of the upstream that answers. */
  readonly upstream: string;
  /** Upstreams that answer for some types in place of `upstream`: one FHIR face for several systems. */
  readonly backends?: readonly { readonly types: readonly string[]; readonly upstream: string }[];
  readonly interactions: readonly Exclude<InteractionCode, "unknown" | "operation">[];
  /** Operations allowed by name without `$`. Default none. */
  readonly operations?: readonly string[];
  /**
   * Of `operations`, what callers bound to a patient may submit to on a type, `Claim/$submit`, and by which right on the
   * resources of the type: the whole submission must be about that one patient. Default none.
   */
  readonly memberOperations?: Readonly<Record<string, "c" | "u" | "s">>;
  /** Search parameters beyond R4 that the upstream knows and that widen nothing: its own paging (`_offset`). Default none. */
  readonly extraParameters?: readonly string[];
  /** Resource types served. Default every type of R4. */
  readonly types?: readonly string[];
  /** Ids of the only clients that may call. Default every client the policy lets in. */
  readonly clients?: readonly string[];
  /** Name of the tier that limits it. */
  readonly tier: string;
  /** Other tiers for some callers or classes; the first that fits. */
  readonly tiersFor?: readonly TierChoice[];
  /** Which profile its answers leave under: a preset, one of `redaction.profiles`, or a choice by caller. Default by zone. */
  readonly redaction?: string | readonly RedactionChoicePolicy[];
  /** Scopes for every type (`user/*.rs`) grant nothing. Default false. */
  readonly refuseWildcardScopes?: boolean;
  /** Each token counts once, by its `jti`. Default false. */
  readonly oneTimeTokens?: boolean;
  /** Each token counts for its first holder only, by its `jti`: a key or a client certificate. Default false. */
  readonly bindToFirstHolder?: boolean;
  /** CIDR ranges that may call. Default what the zone's preset says. */
  readonly addresses?: readonly string[];
  /** What the inventory knows of it. */
  readonly registry?: RegistryEntryPolicy;
  readonly compartmentRule?: CompartmentRule;
  /** Types without a patient that a patient's app may read by reference. */
  readonly supportTypes?: readonly string[];
  /** Makes it a route that is not FHIR, judged by this document. Then without `interactions`. */
  readonly openApi?: OpenApiPolicy;
  /** How strictly bodies and queries are checked. Default: everything is refused that is not well-formed FHIR. */
  readonly schema?: SchemaPolicy;
}

/** `refuse` answers 400; `report` lets it pass and tells the operator; `off` does not look. */
export interface SchemaPolicy {
  /** Submitted resources. Default `refuse`. */
  readonly resources?: "refuse" | "report" | "off";
  /** Search parameters and their values. Default `refuse`. */
  readonly queries?: "refuse" | "report" | "off";
  /** Answers of the upstream, to find one that drifts. Default `off`. */
  readonly responses?: "report" | "off";
  /** Largest `_count`. Default 1000. */
  readonly maxCount?: number;
  /** Profiles that what is submitted must meet. Absent: R4 alone. */
  readonly profiles?: {
    /** Files of StructureDefinitions and ValueSets, or of Bundles of them, JSON. */
    readonly files: readonly string[];
    /** By type: the profiles every resource of it must meet, by canonical URL. Default: those it claims itself. */
    readonly required?: Readonly<Record<string, readonly string[]>>;
  };
}

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
  /** The operator's listener: `/healthz` and `/readyz`. Host default 127.0.0.1. Absent: none. */
  readonly admin?: AdminPolicy;
  /** Empty where nobody comes with a token: every route belongs to devices. */
  readonly issuers: readonly IssuerEntry[];
  /** By name. */
  readonly upstreams: Readonly<Record<string, UpstreamPolicy>>;
  /** By name. */
  readonly tiers: Readonly<Record<string, TierPolicy>>;
  readonly routes: readonly RoutePolicy[];
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

/** A route as people write it: the only upstream and the only tier need not be named, nor what one that is not FHIR has not. */
export type RouteSource = Omit<RoutePolicy, "upstream" | "tier" | "interactions"> &
  Partial<Pick<RoutePolicy, "upstream" | "tier" | "interactions">>;

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
