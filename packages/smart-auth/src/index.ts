export { smartAuth } from "./express.ts";
export { DEFAULT_SUPPORT_TYPES } from "./grant.ts";
export { type SmartConfigurationOptions, smartConfiguration } from "./metadata.ts";
export { DEFAULT_INTERACTIONS, type ReadStored, type SmartAuthOptions } from "./options.ts";
export { parseScope, parseScopes, type ResourceScope } from "./scopes.ts";
