import type { AccessRecord } from "@wardline/policy-types";
import { normal, poisson, seeded } from "./random.ts";
import { ISSUER, type Principal } from "./records.ts";

/** Somebody with habits. */
export interface Resident {
  readonly kind: "patient" | "clinician" | "device" | "system";
  readonly principal: Principal;
  readonly addresses: readonly string[];
  /** Requests in an hour of its day at its busiest. */
  readonly perHour: number;
  readonly nights: boolean;
  /** Patients whom this one works with. */
  readonly panel: readonly number[];
  /** Parts of a request that are missing, as a broken app has them. */
  readonly habit: "plain" | "old-token" | "wrong-scope" | "no-agent" | "break-glass" | "traveller" | "tunnel";
}

export interface TownOptions {
  readonly seed: number;
  readonly callers: number;
  /** First hour, in milliseconds since the epoch. */
  readonly from: number;
  readonly hours: number;
  /** Share of the ordinary volume, to make a quick town. Default 1. */
  readonly volume?: number;
}

const HOUR = 3_600_000;
const PATIENTS = 200_000;

/** The inhabitants: six in ten are patients with an app, three clinicians, half of one devices, half of one systems. */
function residents({ seed, callers }: Pick<TownOptions, "seed" | "callers">): readonly Resident[] {
  const random = seeded(seed);
  return Array.from({ length: callers }, (_, index) => {
    const place = index / callers;
    if (place < 0.6) return patient(index, random);
    if (place < 0.9) return clinician(index, random);
    return place < 0.95 ? device(index, random) : system(index, random);
  });
}

function patient(index: number, random: () => number): Resident {
  const mobile = `100.64.${Math.floor(random() * 40)}.${Math.floor(random() * 250)}`;
  return {
    kind: "patient",
    principal: principalOf(`patient-${index}`, `app-${Math.floor(random() * 12)}`, "patient", ["PATRQT"]),
    // Many phones share the addresses of their operator.
    addresses: [`198.51.${index >> 8}.${index & 255}`, mobile],
    perHour: 0.04 + random() * 0.1,
    nights: random() < 0.1,
    panel: [index],
    habit: random() < 0.02 ? "old-token" : random() < 0.01 ? "traveller" : random() < 0.0005 ? "tunnel" : "plain",
  };
}

function clinician(index: number, random: () => number): Resident {
  const hospital = Math.floor(random() * 20);
  const width = Math.max(4, Math.round(14 + 8 * normal(random)));
  const role = ["nurse", "physician", "pharmacist", "care-manager"][Math.floor(random() * 4)] as string;
  const wide = role === "care-manager" ? 5 : 1;
  const habits = random();
  return {
    kind: "clinician",
    principal: principalOf(`clinician-${index}`, `ehr-${hospital % 4}`, role, ["TREAT"]),
    addresses: [`203.0.113.${hospital}`],
    perHour: (4 + random() * 12) * (wide > 1 ? 2 : 1),
    nights: random() < 0.15,
    panel: Array.from({ length: width * wide }, () => Math.floor(random() * PATIENTS)),
    habit: habits < 0.02 ? "wrong-scope" : habits < 0.05 ? "break-glass" : habits < 0.06 ? "traveller" : "plain",
  };
}

function device(index: number, random: () => number): Resident {
  return {
    kind: "device",
    principal: { ...principalOf(`device-${index}`, `device-${index}`, "device", []), device: `device-${index}` },
    addresses: [`10.20.${index >> 8}.${index & 255}`],
    perHour: 2 + random() * 4,
    nights: true,
    panel: [Math.floor(random() * PATIENTS)],
    habit: random() < 0.3 ? "no-agent" : "plain",
  };
}

function system(index: number, random: () => number): Resident {
  const first = Math.floor(random() * (PATIENTS - 5000));
  return {
    kind: "system",
    principal: principalOf(`system-${index}`, `system-${index}`, "system", ["HOPERAT"]),
    addresses: [`172.16.${index >> 8}.${index & 255}`],
    perHour: 5 + random() * 25,
    nights: true,
    // A register in the order of its numbers, as interfaces read it.
    panel: Array.from({ length: 50 + Math.floor(random() * 2000) }, (_, next) => first + next),
    habit: "plain",
  };
}

function principalOf(subject: string, clientId: string, role: string, purposeOfUse: readonly string[]): Principal {
  return { issuer: ISSUER, subject, clientId, roles: [role], purposeOfUse, scopes: [] };
}

/** What everybody does, an hour at a time, in order. */
export function* ordinaryHours(options: TownOptions): Generator<AccessRecord[]> {
  const { from, hours, volume = 1 } = options;
  const random = seeded(options.seed + 1);
  const everybody = residents(options);
  const cursors = new Map<Resident, number>();
  for (let hour = 0; hour < hours; hour++) {
    const start = from + hour * HOUR;
    const found: AccessRecord[] = [];
    for (const resident of everybody) {
      const mean = resident.perHour * volume * rhythm(resident, start);
      for (let left = mean === 0 ? 0 : poisson(random, mean); left > 0; left--) {
        const cursor = (cursors.get(resident) ?? 0) + 1;
        cursors.set(resident, cursor);
        found.push(...request(resident, start + Math.floor(random() * HOUR), cursor, random));
      }
    }
    yield found.sort((a, b) => a.receivedAt - b.receivedAt);
  }
}

/** Days and nights, weekdays and Sundays. */
function rhythm({ kind, nights }: Resident, at: number): number {
  const date = new Date(at);
  const hour = date.getUTCHours();
  const weekend = date.getUTCDay() % 6 === 0;
  if (kind === "device" || kind === "system") return 1;
  if (kind === "clinician") {
    const onDuty = nights ? hour >= 20 || hour < 7 : hour >= 7 && hour < 18;
    return onDuty ? (weekend ? 0.3 : 1) : 0;
  }
  const awake = hour >= 7 && hour < 23;
  return awake ? 1.4 : nights ? 0.6 : 0.02;
}

const ORDINARY = [{ control: "perimeter", kind: "permit", because: [] }] as const;
const NO_AGENT = [
  { control: "perimeter", kind: "permit", because: ["signal:no-user-agent", "signal:no-accept"] },
] as const;

function request(resident: Resident, at: number, cursor: number, random: () => number): AccessRecord[] {
  const { kind, habit, panel, principal, addresses } = resident;
  // Three days here, three days there, and half a day in the air.
  const journey = habit === "traveller" ? (at / (3 * 24 * HOUR)) % 2 : 0;
  if (journey % 1 > 0.85) return [];
  const away = journey >= 1 || (habit === "tunnel" && random() < 0.5);
  const address = away ? "192.0.2.200" : (addresses[random() < 0.2 ? addresses.length - 1 : 0] as string);
  const number = kind === "system" ? panel[cursor % panel.length] : panel[Math.floor(random() ** 2 * panel.length)];
  // Now and then somebody new: an admission, a colleague's patient.
  const chosen = kind === "clinician" && random() < 0.1 ? Math.floor(random() * PATIENTS) : (number as number);
  const base = {
    requestId: `${principal.subject}-${cursor}`,
    receivedAt: at,
    latencyMs: 12,
    zone: ZONES[kind],
    apiType: kind === "device" ? "telemetry" : kind === "patient" ? "patient-access" : "clinical",
    method: "GET",
    parameters: [],
    peerAddress: address,
    decisions: habit === "no-agent" ? NO_AGENT : ORDINARY,
    completed: true,
    requestBytes: 0,
  } as const;
  const served = { ...base, ...asked(kind, chosen, random), principal, outcome: "permit", status: 200 } as const;

  const luck = random();
  // A token that has run out is tried once or a few times before a new one is fetched.
  if (luck < 0.01 || (habit === "old-token" && luck < 0.3)) {
    const tries = habit === "old-token" ? 3 : 1;
    const refused = { outcome: "deny", status: 401, problem: "smart-auth/token-invalid", patients: [] } as const;
    const { principal: _unproven, ...unproven } = served;
    const failures = Array.from({ length: tries }, (_, index) => ({ ...unproven, ...refused, receivedAt: at + index }));
    return [...failures, { ...served, receivedAt: at + tries }];
  }
  if (luck < 0.025) return [{ ...served, outcome: "permit", status: 404, patients: [] }];
  if (luck < 0.03 || (habit === "wrong-scope" && luck < 0.3)) {
    return [{ ...served, outcome: "deny", status: 403, problem: "smart-auth/scope-insufficient", patients: [] }];
  }
  if (habit === "break-glass" && luck < 0.05) {
    return [{ ...served, principal: { ...principal, purposeOfUse: ["BTG"] } }];
  }
  return [served];
}

const ZONES = { patient: "patient", clinician: "internal", device: "device", system: "partner" } as const;
const TYPES = [
  "Observation",
  "Condition",
  "MedicationRequest",
  "Encounter",
  "AllergyIntolerance",
  "Procedure",
] as const;

type Asked = Pick<
  AccessRecord,
  "interaction" | "resourceType" | "resource" | "patients" | "responseBytes" | "operation"
>;

function asked(kind: Resident["kind"], chosen: number, random: () => number): Asked {
  const patients = [`p-${chosen}`];
  if (kind === "device") return { interaction: "create", resourceType: "Observation", patients, responseBytes: 300 };
  if (kind === "system" && random() < 0.0008) {
    return { interaction: "operation", operation: "export", patients: [], responseBytes: 0 };
  }
  if (random() < 0.35) {
    const resource = `Patient/p-${chosen}`;
    return { interaction: "read", resourceType: "Patient", resource, patients, responseBytes: 2500 };
  }
  const type = TYPES[Math.floor(random() * TYPES.length)] as string;
  if (random() < 0.3) {
    const resource = `${type}/${type}-${chosen}-${Math.floor(random() * 40)}`;
    return { interaction: "read", resourceType: type, resource, patients, responseBytes: 1500 };
  }
  return { interaction: "search-type", resourceType: type, patients, responseBytes: 10_000 + random() * 60_000 };
}
