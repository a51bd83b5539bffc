export type { BreakGlassEvent } from "./break-glass/event.ts";
export type { BreakGlassOptions, GlassLift } from "./break-glass/options.ts";
export type { CertificateHeaderFormat, ClientCertificateHeader } from "./certificate/settings.ts";
export type { ClaimNames, ClaimPath } from "./claim-names.ts";
export type { ClientRegistration } from "./clients/registry.ts";
export type { ConditionFacts } from "./conditions/facts.ts";
export type { AccessRule, ConditionFactsWanted, HoursCondition } from "./conditions/rules.ts";
export type { DataCategory } from "./consent/categories.ts";
export { type FileConsentOptions, type FileConsentRegistry, openFileConsentRegistry } from "./consent/file.ts";
export { type ActorOf, type ConsentReading, consentFromResource } from "./consent/from-resource.ts";
export { createMemoryConsentRegistry, type MemoryConsentOptions } from "./consent/memory.ts";
export type { ConsentOptions } from "./consent/options.ts";
export type {
  ConsentCaller,
  ConsentRecord,
  ConsentRegistry,
  ConsentView,
  Permitted,
  Withheld,
} from "./consent/registry.ts";
export type { NameKind } from "./device/alternative-names.ts";
export type { DeviceClass } from "./device/options.ts";
export type { DpopOptions } from "./dpop/settings.ts";
export type { ExportFile, ExportJob, ExportJobStore } from "./export/job.ts";
export { createMemoryExportJobStore } from "./export/memory.ts";
export type { BulkExportOptions } from "./export/options.ts";
export {
  type AssertedClientOptions,
  assertedClientOf,
  findAssertedClient,
  requireClientAssertion,
} from "./express/client-assertion.ts";
export { certificateReader } from "./express/client-certificate.ts";
export { authorizationServerMetadata, protectedResourceMetadata, smartConfiguration } from "./express/documents.ts";
export { refuseLegacyGrants } from "./express/legacy-grants.ts";
export { type TokenAuthOptions, tokenAuth } from "./express/token-auth.ts";
export { smartAuth } from "./express.ts";
export { createMemoryHolderStore, type HolderStore } from "./first-holder/store.ts";
export { DEFAULT_SUPPORT_TYPES } from "./grant.ts";
export type {
  IntrospectionAuthentication,
  IntrospectionDecryption,
  IntrospectionOptions,
} from "./introspection/settings.ts";
export type { SmartIssuer } from "./issuer-options.ts";
export type { KeyEvent } from "./key-events.ts";
export type { PageLinkOptions } from "./links/options.ts";
export type { SmartConfigurationOptions } from "./metadata.ts";
export type { SmartAuthOptions } from "./options.ts";
export type { PolicyOptions } from "./policy-options.ts";
export type { RedisOptions } from "./redis/ask.ts";
export {
  createRedisConsentRegistry,
  type RedisConsentOptions,
  type RedisConsentRegistry,
} from "./redis/consent-registry.ts";
export { createRedisExportJobStore } from "./redis/export-job-store.ts";
export { createRedisHolderStore } from "./redis/holder-store.ts";
export { createRedisReplayStore } from "./redis/replay-store.ts";
export { createRedisRevocationList, type RedisRevocationList } from "./redis/revocation-list.ts";
export { createMemoryReplayStore, type MemoryReplayStoreOptions, type ReplayStore } from "./replay.ts";
export type { ProtectedResourceMetadataOptions } from "./resource-metadata.ts";
export type { MemoryRevocationList, RevocableToken, RevocationList } from "./revocation.ts";
export { type FileRevocationList, type FileRevocationOptions, openFileRevocationList } from "./revocation-file.ts";
export { createMemoryRevocationList } from "./revocation-memory.ts";
export { DEFAULT_INTERACTIONS, type RouteOptions } from "./route-options.ts";
export { parseScope, parseScopes, type ResourceScope } from "./scopes.ts";
export type { AuthorizationServerMetadataOptions } from "./server-metadata.ts";
export type { ReadStored } from "./settings.ts";
export type { FindReferrers, SearchStored, StoredReference, StoredSearch } from "./stored.ts";
export {
  type AssertionVerdict,
  type ClientAssertionFacts,
  type RegisteredClient,
  verifyClientAssertion,
} from "./token-endpoint/client-assertion.ts";
export { type ClientKeys, type ClientRegistryOptions, clientRegistry } from "./token-endpoint/client-registry.ts";
export { decideLegacyGrant, type OAuthEndpoint, type OAuthRefusal } from "./token-endpoint/legacy-grants.ts";
export type { UseOptions } from "./use-options.ts";
export type { UserAccessOptions } from "./user-access/options.ts";
export type { ResolveUserAccess, UserAccess } from "./user-access/resolve.ts";
