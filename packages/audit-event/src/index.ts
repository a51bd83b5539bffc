export { type AccessLine, type OperationalLogger, renderAccessLine } from "./access-log.ts";
export type { AuditLog } from "./audit-log.ts";
export type { RenderOptions } from "./balp/event.ts";
export { followUp } from "./balp/follow-up.ts";
export type { GeoReader, Place } from "./balp/geo.ts";
export {
  createNaming,
  type IdentifierForm,
  type IdentifierPolicy,
  type Naming,
  type NamingFor,
  type PseudonymKey,
  pseudonymOf,
} from "./balp/naming.ts";
export { renderAuditEvents } from "./balp/render.ts";
export type { AuditAgent, AuditEntity, AuditEvent, CodeableConcept, Coding, Reference } from "./balp/resource.ts";
export type { AuditSource } from "./balp/source.ts";
export {
  renderSystemEvent,
  type SystemActor,
  type SystemFacts,
  type SystemRenderOptions,
} from "./balp/system-event.ts";
export { SYSTEM_EVENT_KINDS, type SystemEventKind } from "./balp/system-patterns.ts";
export { type AuditEventHandler, accessLog, auditEvent } from "./express.ts";
export { openLedger } from "./ledger/open.ts";
export type { LedgerOptions } from "./ledger/options.ts";
export { type LedgerEntry, type LedgerVerdict, readLedger, verifyLedger } from "./ledger/verify.ts";
export type { LedgerPlace } from "./ledger/walk.ts";
export type { Ledger, LedgerPosition, LedgerState } from "./ledger.ts";
export type { AuditDegradation, AuditEventOptions } from "./options.ts";
