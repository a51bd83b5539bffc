export type { CertificateHeaderFormat, ClientCertificateHeader } from "./certificate/settings.ts";
export type { DpopOptions } from "./dpop/settings.ts";
export { protectedResourceMetadata, smartConfiguration } from "./express/documents.ts";
export { refuseLegacyGrants } from "./express/legacy-grants.ts";
export { smartAuth } from "./express.ts";
export { DEFAULT_SUPPORT_TYPES } from "./grant.ts";
export type { IntrospectionAuthentication, IntrospectionOptions } from "./introspection/settings.ts";
export type { SmartIssuer } from "./issuer-options.ts";
export type { PageLinkOptions } from "./links/options.ts";
export type { SmartConfigurationOptions } from "./metadata.ts";
export { DEFAULT_INTERACTIONS, type SmartAuthOptions } from "./options.ts";
export { createMemoryReplayStore, type MemoryReplayStoreOptions, type ReplayStore } from "./replay.ts";
export type { ProtectedResourceMetadataOptions } from "./resource-metadata.ts";
export type { MemoryRevocationList, RevocableToken, RevocationList } from "./revocation.ts";
export { createMemoryRevocationList } from "./revocation-memory.ts";
export { parseScope, parseScopes, type ResourceScope } from "./scopes.ts";
export type { ReadStored } from "./settings.ts";
export type { FindReferrers, SearchStored, StoredReference, StoredSearch } from "./stored.ts";
export {
  type AssertionVerdict,
  type ClientAssertionFacts,
  type RegisteredClient,
  verifyClientAssertion,
} from "./token-endpoint/client-assertion.ts";
export { decideLegacyGrant, type OAuthEndpoint, type OAuthRefusal } from "./token-endpoint/legacy-grants.ts";
