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
export { type LocalKeyRing, type LocalKeyRingOptions, localKeyRing } from "./keys/local-key-ring.ts";
export type { LedgerChange } from "./ledger/classify.ts";
export { openLedger } from "./ledger/open.ts";
export type { LedgerOptions } from "./ledger/options.ts";
export { postCheckpoint } from "./ledger/post-checkpoint.ts";
export type { LedgerProgress } from "./ledger/progress.ts";
export {
  type ConsistencyProof,
  type LedgerProof,
  prove,
  proveConsistency,
  proveSubtree,
  type SubtreeProof,
} from "./ledger/prove.ts";
export { type LedgerEntry, type ReadOptions, readLedger } from "./ledger/read.ts";
export type { LedgerPlace } from "./ledger/segments.ts";
export { type LedgerVerdict, type VerifyOptions, verifyLedger } from "./ledger/verify.ts";
export { type ProofVerdict, verifyConsistencyProof, verifyProof, verifySubtreeProof } from "./ledger/verify-proof.ts";
export type { Ledger, LedgerPosition, LedgerState } from "./ledger.ts";
export { type CheckpointSigner, type CheckpointSignerOptions, checkpointSigner } from "./merkle/signer.ts";
export { isSubtree, type Subtree, verifySubtreeConsistency, verifySubtreeInclusion } from "./merkle/subtrees.ts";
export type { AuditDegradation, AuditEventOptions } from "./options.ts";
export { accessRecordsOf } from "./read-back.ts";
export type { SinkState } from "./shipper/courier.ts";
export type { ShipOptions, SinkChange } from "./shipper/options.ts";
export { type Shipper, shipLedger } from "./shipper/ship.ts";
export { DeliveryError, eventIdOf, type Sink, type SinkLimits } from "./shipper/sink.ts";
export { type ElasticSinkOptions, elasticSink } from "./sinks/elastic.ts";
export { fhirSink } from "./sinks/fhir.ts";
export type { HttpSinkOptions } from "./sinks/http.ts";
export { type NdjsonSinkOptions, ndjsonSink } from "./sinks/ndjson.ts";
export { type ObjectStore, type PutObjectInput, type S3SinkOptions, s3Sink } from "./sinks/s3.ts";
export { type SplunkSinkOptions, splunkSink } from "./sinks/splunk.ts";
export { type SyslogSinkOptions, syslogSink } from "./sinks/syslog.ts";
export { type LogStream, type WinstonSinkOptions, winstonSink } from "./sinks/winston.ts";
