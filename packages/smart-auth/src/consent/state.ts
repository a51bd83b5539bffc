import { DependencyError } from "@wardline/policy-types";
import { hashOf } from "../token-cache.ts";
import type { ConsentCaller, ConsentRecord, ConsentView, Permitted, Withheld } from "./registry.ts";

/** One document's word, as it is kept and passed on: who the patient is stands there as a hash only (S8, A14). */
export interface ConsentEntry {
  readonly key: string;
  readonly patient: string;
  /** Nothing, and nothing permitted: the entry is gone. */
  readonly withheld: readonly Withheld[];
  readonly permitted?: readonly Permitted[];
}

/** What an instance knows, in memory. */
export interface ConsentState {
  readonly size: number;
  put(entry: ConsentEntry): void;
  entries(): Iterable<ConsentEntry>;
  view(caller: ConsentCaller, isFresh: () => boolean): ConsentView;
}

const NONE: readonly string[] = Object.freeze([]);
const DEFAULT_LIMIT = 100_000;

/** Full of entries that count, it takes no more: forgetting one would give away what a patient withholds. */
export function createConsentState(limit: number = DEFAULT_LIMIT): ConsentState {
  const entries = new Map<string, ConsentEntry>();
  const byPatient = new Map<string, Map<string, ConsentEntry>>();
  /** How often something is withheld from whom, so that nobody has to look through all of it. */
  const recipients = new Map<string, { readonly from: Withheld; count: number }>();

  return {
    get size() {
      return entries.size;
    },
    put(entry) {
      const isGone = entry.withheld.length === 0 && (entry.permitted ?? []).length === 0;
      if (!entries.has(entry.key) && !isGone && entries.size >= limit) {
        throw new DependencyError("smart-auth/consent-registry-full", "the consent registry is full", {
          retryable: true,
        });
      }
      remove(entry.key);
      if (isGone) return;
      entries.set(entry.key, entry);
      const own = byPatient.get(entry.patient) ?? new Map<string, ConsentEntry>();
      own.set(entry.key, entry);
      byPatient.set(entry.patient, own);
      for (const one of entry.withheld) count(one, 1);
    },
    entries: () => entries.values(),
    view: (caller, isFresh) => ({
      withholdsAny() {
        checkFresh(isFresh);
        for (const { from } of recipients.values()) if (isFrom(from, caller)) return true;
        return false;
      },
      withheldBy(patient) {
        checkFresh(isFresh);
        return withheldIn(byPatient.get(patientHash(patient)), caller);
      },
      permits(patient, category) {
        checkFresh(isFresh);
        const own = byPatient.get(patientHash(patient));
        const withheld = withheldIn(own, caller);
        if (own === undefined || withheld === "all" || withheld.includes(category)) return false;
        return [...own.values()].some(({ permitted = [] }) =>
          permitted.some((one) => one.category === category && isTo(one, caller)),
        );
      },
    }),
  };

  function remove(key: string): void {
    const before = entries.get(key);
    if (before === undefined) return;
    entries.delete(key);
    for (const one of before.withheld) count(one, -1);
    const own = byPatient.get(before.patient);
    own?.delete(key);
    if (own?.size === 0) byPatient.delete(before.patient);
  }

  function count(from: Withheld, by: 1 | -1): void {
    const key = JSON.stringify([from.client ?? null, from.organisation ?? null]);
    const recipient = recipients.get(key) ?? { from, count: 0 };
    recipient.count += by;
    if (recipient.count > 0) recipients.set(key, recipient);
    else recipients.delete(key);
  }
}

/** A caller who does not say who it is may be the one that is meant. */
function isFrom({ client, organisation }: Withheld, caller: ConsentCaller): boolean {
  return (
    (client === undefined || caller.clientId === undefined || client === caller.clientId) &&
    (organisation === undefined || caller.organisation === undefined || organisation === caller.organisation)
  );
}

/** A caller who does not say who it is is not the one that is meant. */
function isTo({ client, organisation }: Permitted, caller: ConsentCaller): boolean {
  return (
    (client === undefined || client === caller.clientId) &&
    (organisation === undefined || organisation === caller.organisation)
  );
}

function withheldIn(
  own: ReadonlyMap<string, ConsentEntry> | undefined,
  caller: ConsentCaller,
): "all" | readonly string[] {
  if (own === undefined) return NONE;
  const said = [...own.values()].flatMap(({ withheld }) => withheld.filter((one) => isFrom(one, caller)));
  if (said.some(({ category }) => category === undefined)) return "all";
  return said.flatMap(({ category }) => category ?? []);
}

function checkFresh(isFresh: () => boolean): void {
  if (isFresh()) return;
  throw new DependencyError("smart-auth/consent-unavailable", "what patients withhold is not known at the moment", {
    retryable: true,
  });
}

function patientHash(patient: string): string {
  return hashOf("patient", patient);
}

export function entryOf({ source, patient, withheld, permitted }: ConsentRecord): ConsentEntry {
  return Object.freeze({
    key: hashOf("source", source),
    patient: patientHash(patient),
    withheld: withheld.map(clean),
    ...(permitted === undefined ? {} : { permitted: permitted.map(cleanPermitted) }),
  });
}

export function forgotten(source: string): ConsentEntry {
  return Object.freeze({ key: hashOf("source", source), patient: "", withheld: NONE as readonly [] });
}

/** One of its own for each thing revoked, so that it can be taken back by itself. */
export function revocationOf(patient: string, withheld: Withheld, isRevoked: boolean): ConsentEntry {
  const { client, organisation, category } = withheld;
  const key = hashOf("revoked", patient, JSON.stringify([client ?? null, organisation ?? null, category ?? null]));
  return Object.freeze({ key, patient: patientHash(patient), withheld: isRevoked ? [clean(withheld)] : [] });
}

/** One of its own for each thing permitted, as for each revoked. */
export function permissionOf(patient: string, permitted: Permitted, isPermitted: boolean): ConsentEntry {
  const { client, organisation, category } = permitted;
  const key = hashOf("permitted", patient, JSON.stringify([client ?? null, organisation ?? null, category]));
  return Object.freeze({
    key,
    patient: patientHash(patient),
    withheld: NONE as readonly [],
    permitted: isPermitted ? [cleanPermitted(permitted)] : [],
  });
}

function cleanPermitted({ category, ...to }: Permitted): Permitted {
  const { client, organisation } = clean(to);
  return Object.freeze({
    ...(client === undefined ? {} : { client }),
    ...(organisation === undefined ? {} : { organisation }),
    category,
  });
}

function clean({ client, organisation, category }: Withheld): Withheld {
  return Object.freeze({
    ...(client === undefined ? {} : { client }),
    ...(organisation === undefined ? {} : { organisation }),
    ...(category === undefined ? {} : { category }),
  });
}

/** An entry as it was written; `undefined` for anything else. */
export function readEntry(text: string): ConsentEntry | undefined {
  try {
    const { key, patient, withheld, permitted = [] } = JSON.parse(text) as Partial<ConsentEntry>;
    const isGood = typeof key === "string" && typeof patient === "string" && Array.isArray(withheld);
    if (!isGood || !withheld.every((one: unknown) => one !== null && typeof one === "object")) return undefined;
    if (!Array.isArray(permitted) || !permitted.every(isPermitted)) return undefined;
    return Object.freeze({
      key,
      patient,
      withheld: withheld.map(clean),
      ...(permitted.length === 0 ? {} : { permitted: (permitted as readonly Permitted[]).map(cleanPermitted) }),
    });
  } catch {
    return undefined;
  }
}

function isPermitted(one: unknown): one is Permitted {
  return one !== null && typeof one === "object" && typeof (one as Partial<Permitted>).category === "string";
}
