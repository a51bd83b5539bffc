export {
  type AccessRecord,
  accessOfEntry,
  type ControlDecision,
  type EntryRecord,
  type SignInRecord,
} from "./access-record.ts";
export {
  type Decision,
  type Deny,
  deny,
  type IssueType,
  type Permit,
  type Problem,
  type ProblemIssue,
  permit,
  type Reasons,
} from "./decision.ts";
export { ConfigurationError, type ConfigurationIssue, DependencyError } from "./errors.ts";
export type { CompartmentRule, Grant, GrantClause, ScopeLetter } from "./grant.ts";
export {
  type BundleEntryInteraction,
  INTERACTION_CODES,
  type Interaction,
  type InteractionCode,
  type SearchCriterion,
  type SearchInclude,
  type SearchParameterType,
  type SearchQuery,
  type SearchStep,
  type Touch,
  type TouchVia,
} from "./interaction.ts";
export type { DataKey, KeyContext, KeyProvider } from "./keys.ts";
export { type Findings, findings, join, nearest, refuseUnknownKeys } from "./options.ts";
export { definePolicy, type PolicyDocument, type PolicySource } from "./policy.ts";
export type {
  BreakGlassPolicy,
  ClientPolicy,
  ConditionPolicy,
  ConsentPolicy,
  DevicePolicy,
  DpopPolicy,
  IntrospectionPolicy,
} from "./policy-authority.ts";
export type {
  DlpPolicy,
  RedactionAction,
  RedactionChoicePolicy,
  RedactionPolicy,
  RedactionProfilePolicy,
  SensitivePolicy,
} from "./policy-data.ts";
export type {
  AbusePolicy,
  ApiDocumentsPolicy,
  CorsPolicy,
  HostileInputPolicy,
  IdentityPolicy,
  RegistryEntryPolicy,
  UsagePolicy,
} from "./policy-edge.ts";
export type { IssuerEntry, IssuerPolicy, SmartEndpoints } from "./policy-issuers.ts";
export type {
  BreakerPolicy,
  BulkExportPolicy,
  ConnectionPolicy,
  DoorPolicy,
  PoolsPolicy,
  QuotaPolicy,
  RedisPolicy,
  TierChoice,
  TierPolicy,
  WindowOwnerName,
  WindowPolicy,
} from "./policy-limits.ts";
export type { AdminPolicy, ListenerPolicy, PlaintextPolicy, TlsIdentityPolicy, TlsPolicy } from "./policy-listeners.ts";
export type { OpenApiPolicy } from "./policy-open-api.ts";
export {
  FHIR_VERSIONS,
  type FhirVersion,
  type RoutePolicy,
  type RouteSource,
  type SchemaPolicy,
} from "./policy-routes.ts";
export { POLICY_SCHEMA } from "./policy-schema.ts";
export type { SignInClientPolicy, SignInEndpoints, SignInPolicy } from "./policy-sign-in.ts";
export type { UpstreamPolicy, UpstreamTarget, UpstreamTlsPolicy } from "./policy-upstreams.ts";
export type { AuthenticationMethod, Principal } from "./principal.ts";
export type { SendCommand, Subscribe } from "./redis.ts";
export {
  API_TYPES,
  type ApiType,
  CONTROLS,
  type ControlName,
  TRUST_ZONES,
  type TrustZone,
  ZONE_PRESETS,
  type ZoneAuthentication,
  type ZonePreset,
} from "./zones.ts";
