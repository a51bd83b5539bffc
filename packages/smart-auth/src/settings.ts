import type { IncomingMessage } from "node:http";
import type { CompartmentRule, Decision, Grant, Interaction, ScopeLetter } from "@wardline/policy-types";
import type { Json } from "@wardline/policy-types/express";
import type { CertificateHeaderSettings } from "./certificate/settings.ts";
import type { ClaimNameSettings } from "./claim-names.ts";
import type { DpopSettings } from "./dpop/settings.ts";
import type { BulkExportSettings } from "./export/options.ts";
import type { HolderStore } from "./first-holder/store.ts";
import type { IntrospectionSettings } from "./introspection/settings.ts";
import type { KeyEvent } from "./key-events.ts";
import type { Sealer } from "./links/sealer.ts";
import type { PolicySettings } from "./policy-options.ts";
import type { ReplayStore } from "./replay.ts";
import type { RevocationList } from "./revocation.ts";
import type { FindReferrers, SearchStored } from "./stored.ts";

/** Reads the stored version of a resource; `undefined` when there is none. A rejection refuses the write (503). */
export type ReadStored = (
  reference: { readonly type: string; readonly id: string },
  req: IncomingMessage,
) => Promise<Json | undefined>;

/** One issuer with every default filled in. */
export interface IssuerSettings {
  readonly issuer: string;
  readonly audience: readonly string[];
  readonly jwksUri?: string;
  readonly algorithms: readonly string[];
  readonly allowLegacyTyp: boolean;
  readonly maxLifetimeSeconds: number;
  readonly leewaySeconds: number;
  readonly claimNames: ClaimNameSettings;
  readonly introspection?: IntrospectionSettings;
}

/** What the pure parts need to know of a route. */
export interface RouteSettings {
  readonly baseUrl: string;
  /** `baseUrl` first, then the backend's. */
  readonly baseUrls: readonly string[];
  readonly interactions: ReadonlySet<Interaction["code"]>;
  readonly operations: ReadonlySet<string>;
  /** What bound callers may ask for at type level, and by which right on what they submit. */
  readonly memberOperations: ReadonlyMap<string, ScopeLetter>;
  /** Absent: every type. */
  readonly types?: ReadonlySet<string>;
  readonly extraParameters: ReadonlySet<string>;
  readonly allowLenient?: boolean;
  readonly compartmentRule: CompartmentRule;
  readonly supportTypes: readonly string[];
  /** Page links are sealed, so that one search may go on as another. */
  readonly sealsPages?: boolean;
}

export interface SmartAuthSettings extends PolicySettings {
  readonly issuers: readonly IssuerSettings[];
  readonly route: RouteSettings;
  readonly readStored?: ReadStored;
  readonly searchStored?: SearchStored;
  readonly findReferrers?: FindReferrers;
  /** Absent: no exports. */
  readonly bulkExport?: BulkExportSettings;
  /** Absent: page links are not sealed. */
  readonly sealer?: Sealer;
  readonly requestBodyBytes: number;
  /** Absent: only the connection's own certificate counts. */
  readonly certificateHeader?: CertificateHeaderSettings;
  readonly requireCertificateBound: boolean;
  /** Absent: no proofs of possession. */
  readonly dpop?: DpopSettings;
  readonly replayStore: ReplayStore;
  readonly revocation?: RevocationList;
  readonly oneTimeTokens: boolean;
  /** Absent: a token is not bound to who used it first. */
  readonly holderStore?: HolderStore;
  /** Name the RFC 9728 document in challenges. */
  readonly resourceMetadata: boolean;
  readonly development: boolean;
  readonly fetch: typeof globalThis.fetch;
  readonly now: () => number;
  readonly onKeys: (event: KeyEvent) => void;
  readonly onDecision: (decision: Decision<Grant>, req: IncomingMessage) => void;
}
