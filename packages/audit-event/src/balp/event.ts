import { randomUUID } from "node:crypto";
import type { AccessRecord } from "@wardline/policy-types";
import { constant } from "../json-text.ts";
import { WEB_SERVER } from "./codes.ts";
import type { Place } from "./geo.ts";
import { CLEAR, type Naming, type NamingFor } from "./naming.ts";
import { describeOutcome } from "./outcome.ts";
import type { AuditEvent, Coding } from "./resource.ts";
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

/** What every event of one record needs. */
export interface Rendering extends RenderOptions {
  readonly record: AccessRecord;
  readonly naming: Naming;
}

export function rendering(record: AccessRecord, options: RenderOptions): Rendering {
  const { source, followsUp, locate, newId: nextId, namingFor } = options;
  const facts: Draft<Rendering> = { source, record, naming: namingFor?.(record.zone) ?? CLEAR };
  if (followsUp !== undefined) facts.followsUp = followsUp;
  if (locate !== undefined) facts.locate = locate;
  if (nextId !== undefined) facts.newId = nextId;
  return facts;
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
  const end = instant(receivedAt + latencyMs);
  return { period: { start: instant(receivedAt), end }, recorded: end };
}

/** As `Date.toISOString` writes it. Many events share a second, which is then written once. */
function instant(milliseconds: number): string {
  const time = Math.trunc(milliseconds);
  const second = Math.floor(time / 1000);
  if (second !== writtenSecond.second) {
    writtenSecond = { second, text: new Date(second * 1000).toISOString().slice(0, -"000Z".length) };
  }
  return `${writtenSecond.text}${String(time - second * 1000).padStart(3, "0")}Z`;
}

let writtenSecond = { second: Number.NaN, text: "" };

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

export function present<Value>(values: readonly (Value | undefined)[]): Value[] {
  return values.filter((value) => value !== undefined);
}
