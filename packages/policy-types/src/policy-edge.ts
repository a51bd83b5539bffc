import type { TrustZone } from "./zones.ts";

/** Whose scripts may call. Exact origins, never with credentials. */
export interface CorsPolicy {
  readonly origins: readonly string[];
  readonly requestHeaders?: readonly string[];
  readonly exposeHeaders?: readonly string[];
  readonly maxAgeSeconds?: number;
}

/** Rules against attacks in path, query, headers and bodies. */
export interface HostileInputPolicy {
  /** Default `refuse`. */
  readonly mode?: "refuse" | "report" | "off";
  readonly exceptions?: readonly {
    readonly path: string;
    readonly rules: readonly string[];
    readonly parameter?: string;
  }[];
}

/** Who is calling, told to upstreams. */
export interface IdentityPolicy {
  /** Default `X-Organization-Id`, `X-User-Id`, `X-Client-Id`; `false` sends none. */
  readonly headers?: {
    readonly organization?: string | false;
    readonly user?: string | false;
    readonly client?: string | false;
  };
  /** The same as a short token the upstream can verify. */
  readonly token?: {
    /** Where the private key (JWK) is. */
    readonly key: string;
    readonly algorithm: string;
    readonly keyId?: string;
    readonly audience: string;
    readonly lifetimeSeconds?: number;
  };
}

/** What is done when somebody behaves as attackers do: see abuse-monitor. */
export interface AbusePolicy {
  /** By pattern: `credential-stuffing`, `patient-enumeration`, ... Default: all are told, nothing else is done. */
  readonly responses?: Readonly<
    Record<
      string,
      {
        readonly action: "tell" | "slow-down" | "step-up" | "block";
        /** Default 900. */
        readonly seconds?: number;
        readonly cost?: number;
        readonly from?: "low" | "medium" | "high" | "critical";
      }
    >
  >;
  /** By pattern, laid over the defaults. */
  readonly thresholds?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Lets the policy block reserved pools and break-glass users by itself. Default false. */
  readonly dangerouslyBlockProtectedCallers?: boolean;
  /** Traffic whose callers only a human may block or step up. Default zone `device` and API type `prior-authorization`. */
  readonly reserved?: { readonly zones?: readonly TrustZone[]; readonly apiTypes?: readonly string[] };
  /** What a step-up asks for. Default a sign-in of the last 300 seconds. */
  readonly stepUp?: { readonly maxAgeSeconds?: number; readonly acrValues?: readonly string[] };
  /** The same of the same caller is not told again for so long, unless it becomes worse. Default 3600. */
  readonly repeatSeconds?: number;
  /** How long an operator's override binds the policy. Default 3600. */
  readonly overrideSeconds?: number;
  /** Callers remembered of each kind. Default 100000. */
  readonly maxCallers?: number;
  /** File that says where networks are: CSV with `network`, `latitude` and `longitude`. Without it nobody's journey is impossible. */
  readonly places?: string;
  /** Where 16 random bytes in base64url are, the same for all instances: pseudonyms of callers. Needed with `redis` and `history`. */
  readonly key?: string;
  /** Keeps what was seen over a restart, in a file of this process, written every `intervalSeconds` (60). Default memory alone. */
  readonly history?: { readonly file: string; readonly intervalSeconds?: number };
  /** Where alerts are posted, and where the secret that signs them is. */
  readonly webhook?: { readonly url: string; readonly secret: string };
}

/** Where usage figures (CMS-0057-F) are kept. */
export interface UsagePolicy {
  /** File of this process. */
  readonly file: string;
  /** Where the key is that hashes patients: base64url, at least 32 bytes, the same for all instances and the whole year. */
  readonly key: string;
  /** Decides where a day begins. Default UTC. */
  readonly timeZone?: string;
}

/** The OpenAPI document of what this edge serves, and a page of it, for anybody (42 CFR 422.119(d)). */
export interface ApiDocumentsPolicy {
  readonly title: string;
  /** Of the API: `2026.1`. */
  readonly version: string;
  readonly description?: string;
  /** Whose routes are told. Default `["patient"]`. */
  readonly zones?: readonly TrustZone[];
  /** Default `/openapi.json`. */
  readonly documentPath?: string;
  /** Default `/api.html`. */
  readonly pagePath?: string;
}

/** What the inventory knows of a route besides what the policy says anyway. */
export interface RegistryEntryPolicy {
  /** Who answers for it: a team or a person. */
  readonly owner?: string;
  /** Version of the API: `1.2`. */
  readonly version?: string;
  /** `PHI`, `de-identified`, ... */
  readonly dataClass?: string;
  readonly vendor?: {
    readonly name: string;
    /** Number or link of the agreement (BAA, DUA). */
    readonly agreement?: string;
    /** `2026-11-01`. */
    readonly reviewed?: string;
    /** Months until the next review, 6 to 12. Default 12. */
    readonly reviewMonths?: number;
  };
  readonly dependsOn?: readonly string[];
  /** Applications that use it: client ids. */
  readonly consumers?: readonly string[];
  /** Scopes that were approved for it. */
  readonly approvedScopes?: readonly string[];
  /** Dates as `2026-11-01`. Retired at least twelve months after it was deprecated. */
  readonly introduced?: string;
  readonly deprecated?: string;
  readonly retired?: string;
  /** What to use instead. */
  readonly successor?: string;
}
