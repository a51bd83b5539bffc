export type { CertificateHeaderFormat, ClientCertificateHeader } from "./certificate/settings.ts";
export { smartAuth, smartConfiguration } from "./express.ts";
export { DEFAULT_SUPPORT_TYPES } from "./grant.ts";
export type { IntrospectionAuthentication, IntrospectionOptions } from "./introspection/settings.ts";
export type { SmartIssuer } from "./issuer-options.ts";
export type { SmartConfigurationOptions } from "./metadata.ts";
export { DEFAULT_INTERACTIONS, type SmartAuthOptions } from "./options.ts";
export { parseScope, parseScopes, type ResourceScope } from "./scopes.ts";
export type { ReadStored } from "./settings.ts";
