import { randomUUID } from "node:crypto";
import type { AccessRecord } from "@wardline/policy-types";
import { WEB_SERVER } from "./codes.ts";
import type { Place } from "./geo.ts";
import { CLEAR, type Naming, type NamingFor } from "./naming.ts";
import { describeOutcome } from "./outcome.ts";
import type { AuditEvent } from "./resource.ts";
import type { AuditSource } from "./source.ts";

export interface RenderOptions {
  readonly source: AuditSource;
  /** Why the request has a second set of events; see `followUp`. */
  readonly followsUp?: string;
  /** How patients, resources, subjects and devices are named; see `createNaming`. Default in clear. */
  readonly namingFor?: NamingFor;
  /** Where an address is. */
  readonly locate?: (address: string) => Place | undefined;
  /** `AuditEvent.id`: by it a receiver knows an event it already has. Default a random UUID. */
  readonly newId?: () => string;
}

/** What every event of one record needs. */
export interface Rendering extends RenderOptions {
  readonly record: AccessRecord;
  readonly naming: Naming;
}

export function rendering(record: AccessRecord, options: RenderOptions): Rendering {
  return { ...options, record, naming: options.namingFor?.(record.zone) ?? CLEAR };
}

export type Draft<Value> = { -readonly [Key in keyof Value]: Value[Key] };

export function newId({ newId = randomUUID }: Pick<RenderOptions, "newId">): string {
  return newId();
}

export function begin(options: Pick<RenderOptions, "newId">): Pick<AuditEvent, "resourceType" | "id"> {
  return { resourceType: "AuditEvent", id: newId(options) };
}

export function claimed(profiles: readonly string[]): Pick<AuditEvent, "meta"> {
  return profiles.length === 0 ? {} : { meta: { profile: profiles } };
}

export function times({ receivedAt, latencyMs }: AccessRecord): Required<Pick<AuditEvent, "period" | "recorded">> {
  const end = new Date(receivedAt + latencyMs).toISOString();
  return { period: { start: new Date(receivedAt).toISOString(), end }, recorded: end };
}

export function described(record: AccessRecord): Pick<AuditEvent, "outcomeDesc"> {
  const outcomeDesc = describeOutcome(record);
  return outcomeDesc === undefined ? {} : { outcomeDesc };
}

export function sourceOf({ site, observer }: AuditSource): AuditEvent["source"] {
  const source = { observer: { display: observer }, type: SOURCE_TYPE };
  return site === undefined ? source : { site, ...source };
}

const SOURCE_TYPE = Object.freeze([WEB_SERVER]);

export function present<Value>(values: readonly (Value | undefined)[]): Value[] {
  return values.filter((value) => value !== undefined);
}
