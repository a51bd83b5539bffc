import type { AccessRecord } from "@wardline/policy-types";
import { instant } from "../instant.ts";
import { constant } from "../json-text.ts";
import { WEB_SERVER } from "./codes.ts";
import type { Place } from "./geo.ts";
import type { Naming, NamingFor } from "./naming.ts";
import { describeOutcome } from "./outcome.ts";
import type { AuditEntity, AuditEvent, Coding } from "./resource.ts";
import type { AuditSource } from "./source.ts";

export interface RenderOptions {
  /** Which edge reports. */
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

/** What the events of one record are made of. */
export interface Rendering {
  readonly record: AccessRecord;
  readonly source: AuditSource;
  readonly naming: Naming;
  readonly newId: () => string;
  readonly times: Required<Pick<AuditEvent, "period" | "recorded">>;
  /** What was asked for. */
  readonly object: AuditEntity | undefined;
  /** Ties them together. */
  readonly transaction: AuditEntity;
  /** Patients the answer was about; `undefined`: all of them. */
  readonly delivered: ReadonlySet<string> | undefined;
}

export function begin({ newId }: Rendering): Pick<AuditEvent, "resourceType" | "id"> {
  return { resourceType: "AuditEvent", id: newId() };
}

export function claimed(profiles: readonly string[]): Pick<AuditEvent, "meta"> {
  return profiles.length === 0 ? {} : { meta: { profile: profiles } };
}

export function timesOf({ receivedAt, latencyMs }: AccessRecord): Rendering["times"] {
  const end = instant(receivedAt + latencyMs);
  return { period: { start: instant(receivedAt), end }, recorded: end };
}

export function described(record: AccessRecord): Pick<AuditEvent, "outcomeDesc"> {
  const outcomeDesc = describeOutcome(record);
  return outcomeDesc === undefined ? {} : { outcomeDesc };
}

export function sourceOf(source: AuditSource): AuditEvent["source"] {
  return partOf(source, WEB_SERVER, () => {
    const { site, observer } = source;
    const part = { observer: { display: observer }, type: SOURCE_TYPE };
    return site === undefined ? part : { site, ...part };
  });
}

/** A part that is the same in all events of one edge, made once for each `kind`; anew where the source may change. */
export function partOf<Part extends object>(source: AuditSource, kind: Coding, make: () => Part): Part {
  if (!Object.isFrozen(source)) return make();
  const parts = PARTS.get(source) ?? new Map<Coding, object>();
  PARTS.set(source, parts);
  const known = parts.get(kind) as Part | undefined;
  if (known !== undefined) return known;
  const part = constant(make());
  parts.set(kind, part);
  return part;
}

const PARTS = new WeakMap<AuditSource, Map<Coding, object>>();

const SOURCE_TYPE = constant([WEB_SERVER]);

export function present<Value>(values: readonly (Value | undefined)[]): readonly Value[] {
  return isPresent(values) ? values : values.filter((value) => value !== undefined);
}

function isPresent<Value>(values: readonly (Value | undefined)[]): values is readonly Value[] {
  return !values.includes(undefined);
}
