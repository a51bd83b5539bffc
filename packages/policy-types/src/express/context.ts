import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { AccessRecord, ControlDecision, SignInRecord } from "../access-record.ts";
import type { Problem } from "../decision.ts";
import type { Grant } from "../grant.ts";
import type { Interaction } from "../interaction.ts";
import type { RoutePolicy } from "../policy-routes.ts";
import type { Principal } from "../principal.ts";
import type { ControlName, TrustZone } from "../zones.ts";
import { giveOneShape, prepareThoseToCome } from "./one-shape.ts";
import type { RequestBody } from "./request-body.ts";
import type { BodyTransform, Json } from "./transform.ts";
import { readTransport, type TransportFacts } from "./transport.ts";

/** `Symbol.for`, so that two installed copies of this package meet in one context instead of ignoring each other. */
const CONTEXT_KEY: unique symbol = Symbol.for("@wardline/request-context/1") as never;

/**
 * One request as the packages share it. Opened by whichever middleware comes first. Values are set once by the control
 * that owns them; `decisions` only grows.
 */
export interface RequestContext {
  /** Ours, or the client's `X-Request-Id` when it is well formed. */
  readonly requestId: string;
  readonly correlationId?: string;
  readonly traceparent?: string;
  /** Milliseconds since the epoch. */
  readonly receivedAt: number;
  /** `performance.now()` at arrival. */
  readonly startedAt: number;
  /** The method as received: a HEAD that is judged runs its handler as GET. */
  readonly method: string;
  /** The request-target as received. */
  readonly originalUrl: string;
  readonly transport: TransportFacts;
  readonly decisions: ControlDecision[];
  /** Body transforms in force for this answer. */
  readonly transforms: BodyTransform[];
  /** `fhir`: refusals are OperationOutcomes. `json`: they are problem+json. `oauth`: errors of RFC 6749. */
  media: "fhir" | "json" | "oauth";
  /** The caller's address as trusted proxies report it, `unknown` where they report none; set by perimeter. Absent: the peer is the caller. */
  clientAddress?: string;
  zone?: TrustZone;
  apiType?: string;
  route?: RoutePolicy;
  policyVersion?: string;
  interaction?: Interaction;
  principal?: Principal;
  grant?: Grant;
  /** The request body as read by `readBody`, or as an earlier body parser left it. */
  body?: RequestBody;
  /**
   * What is asked of the handler in place of what the client asked: smart-auth's narrowing. `url` is relative to where
   * the middleware is mounted, like `req.url`.
   */
  rewritten?: {
    readonly url?: string;
    /** JSON body, for a batch or transaction of which some entries were refused or narrowed. */
    readonly body?: Json;
    /** Form body of a POST `_search`. */
    readonly form?: string;
  };
  /**
   * How a control says that there is no such resource, where it answers so of absent ones: whoever withholds one behind it says
   * the same (A9).
   */
  absent?: Problem;
  /** The refusal sent, if one was. */
  problem?: Problem;
  /** Patients the answer turned out to hold or whose records were written, noted by the guard: bare ids. */
  readonly patients: Set<string>;
  /** Those whose data the answer holds. Absent: no guard read it. */
  delivered?: Set<string>;
  /** What a batch or transaction asks entry by entry, noted by whoever decides them. */
  entries?: readonly EntryContext[];
  /** Name of the upstream that answered. */
  upstream?: string;
  /** Set where the request goes to an endpoint of OAuth. */
  signIn?: SignInRecord;
  /** False: the answer will be `no-store`, whatever the handler says. */
  mayBeStored: boolean;
  /** The largest body that is judged in memory, in bytes. */
  answerLimitBytes: number;
  /** The record every listener saw: set when the answer is ready, and again when it has ended. */
  record?: AccessRecord;
}

/** One entry of a batch or transaction, as far as it is known what became of it. */
export interface EntryContext {
  /** As asked. */
  readonly method: string;
  readonly interaction: Interaction;
  /** Was it asked of the handler? */
  readonly isPermitted: boolean;
  readonly patients: Set<string>;
  readonly delivered: Set<string>;
  /** `Problem.code` of its refusal. */
  problem?: string;
  /** Absent: that of the whole. */
  status?: number;
  /** Where what it made is. */
  location?: string;
}

type Carrier = IncomingMessage & { [CONTEXT_KEY]?: RequestContext; originalUrl?: string };

/** The request's context; opens one if no middleware has yet. */
export function contextOf(req: IncomingMessage): RequestContext {
  const carrier = req as Carrier;
  const existing = carrier[CONTEXT_KEY];
  if (existing !== undefined) return existing;
  giveOneShape(carrier);
  prepareThoseToCome(carrier);
  const opened = openContext(carrier);
  Object.defineProperty(carrier, CONTEXT_KEY, { value: opened, enumerable: false });
  return opened;
}

/** Writes what a control decided, once per control and request; the first deny of a control stands. */
export function recordDecision(req: IncomingMessage, decision: ControlDecision): void {
  contextOf(req).decisions.push(standing(decision));
}

/** Controls decide the same for the same reasons again and again: one frozen decision stands for all of them. */
function standing(decision: ControlDecision): ControlDecision {
  const { control, kind, because, code } = decision;
  const known = BY_REASONS.get(because);
  if (known?.control === control && known.kind === kind && known.code === code) return known;
  const last = LAST.get(control);
  if (last !== undefined && isSame(last, decision)) return last;
  const words = `${control}\n${kind}\n${code ?? ""}\n${because.join("\n")}`;
  const like = BY_WORDS.get(words);
  const same = like !== undefined && isSame(like, decision) ? like : remembered(words, frozen(decision));
  // What a control has decided last it mostly decides again; its words need not be put together for that.
  if (STANDING.has(same)) LAST.set(control, same);
  // Frozen reasons come again themselves, which spares reading them, however many they are. Remembered as long as they live.
  if (Object.isFrozen(because)) {
    STANDING.add(same);
    BY_REASONS.set(because, same);
  }
  return same;
}

/** Words that run together are not the same words. */
function isSame(known: ControlDecision, { control, kind, code, because }: ControlDecision): boolean {
  if (known.control !== control || known.kind !== kind || known.code !== code) return false;
  return known.because.length === because.length && known.because.every((reason, at) => reason === because[at]);
}

/** Reasons name rules and no values, so there are not many; should there be, the rest are remembered by nobody. */
function remembered(words: string, made: ControlDecision): ControlDecision {
  if (words.length > LONGEST_WORDS || BY_WORDS.size >= MOST_STANDING || BY_WORDS.has(words)) return made;
  BY_WORDS.set(words, made);
  STANDING.add(made);
  return made;
}

const STANDING = new WeakSet<ControlDecision>();
const BY_REASONS = new WeakMap<readonly string[], ControlDecision>();
/** Not more of them than there are in `BY_WORDS`. */
const LAST = new Map<string, ControlDecision>();
const BY_WORDS = new Map<string, ControlDecision>();
const MOST_STANDING = 2_000;
const LONGEST_WORDS = 1_000;

/** True for a decision that other requests have too, so that whoever writes it down can remember how. */
export function isStanding(decision: ControlDecision): boolean {
  return STANDING.has(decision);
}

function frozen({ control, kind, because, code }: ControlDecision): ControlDecision {
  const reasons = Object.isFrozen(because) ? because : Object.freeze([...because]);
  return Object.freeze(
    code === undefined ? { control, kind, because: reasons } : { control, kind, because: reasons, code },
  );
}

/** True when `control` has permitted this request and has not denied it. */
export function hasPermitted(req: IncomingMessage, control: ControlName): boolean {
  return isPermitted(contextOf(req).decisions, control);
}

export function isPermitted(decisions: readonly ControlDecision[], control: ControlName): boolean {
  let permitted = false;
  for (const decision of decisions) {
    if (decision.control !== control) continue;
    if (decision.kind !== "permit") return false;
    permitted = true;
  }
  return permitted;
}

/** The grant smart-auth left. Throws a wiring error when there is none. */
export function grantOf(req: IncomingMessage): Grant {
  const { grant } = contextOf(req);
  if (grant === undefined) throw new Error("no grant in the request context: mount smartAuth() before this middleware");
  return grant;
}

function openContext(req: Carrier): RequestContext {
  const requestId = single(req, "x-request-id");
  const correlationId = single(req, "x-correlation-id");
  const traceparent = single(req, "traceparent");
  const context: Growing<RequestContext> = {
    requestId: requestId !== undefined && WELL_FORMED_ID.test(requestId) ? requestId : randomUUID(),
    receivedAt: Date.now(),
    startedAt: performance.now(),
    method: req.method ?? "GET",
    originalUrl: req.originalUrl ?? req.url ?? "/",
    transport: readTransport(req),
    decisions: [],
    transforms: [],
    media: "fhir",
    patients: new Set(),
    mayBeStored: true,
    answerLimitBytes: DEFAULT_ANSWER_LIMIT_BYTES,
  };
  if (correlationId !== undefined && WELL_FORMED_ID.test(correlationId)) context.correlationId = correlationId;
  if (traceparent !== undefined && isTraceparent(traceparent)) context.traceparent = traceparent;
  return context;
}

type Growing<Value> = { -readonly [Key in keyof Value]: Value[Key] };

const DEFAULT_ANSWER_LIMIT_BYTES = 25 * 1024 * 1024;

/** Ids that may be logged and echoed: they cannot break a header, a log line or a path. */
const WELL_FORMED_ID = /^[A-Za-z0-9._:-]{1,128}$/;

/** @see https://www.w3.org/TR/trace-context-2/#traceparent-header-field-values */
function isTraceparent(value: string): boolean {
  const match = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/.exec(value);
  return match !== null && match[1] !== "ff" && !/^0+$/.test(match[2] ?? "") && !/^0+$/.test(match[3] ?? "");
}

function single(req: IncomingMessage, name: string): string | undefined {
  const value = req.headers[name];
  return typeof value === "string" ? value : undefined;
}
