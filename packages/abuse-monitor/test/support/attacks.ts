import type { AccessRecord } from "@wardline/policy-types";
import type { Pattern } from "../../src/index.ts";
import { seeded } from "./random.ts";
import { principal, record, stranger } from "./records.ts";

/** An attack as it was made, and how its records are known. */
export interface Attack {
  readonly name: string;
  readonly pattern: Pattern;
  /** When its first record arrives. */
  readonly from: number;
  readonly records: readonly AccessRecord[];
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const DAY = 86_400_000;

/** Every named pattern, some of them in a loud and a patient form. */
export function attacks(seed: number, weekFrom: number): readonly Attack[] {
  const random = seeded(seed);
  let next = 0;
  // Spread over the week, at any hour, but after two days of ordinary life.
  const begin = () => weekFrom + Math.floor((2.2 + ((next++ * 0.37) % 4.3)) * DAY);
  const thief = (name: string, changes: Partial<AccessRecord["principal"] & object> = {}) =>
    principal(name, { clientId: "ehr-1", ...changes });
  const signals = (...found: string[]) => [
    { control: "perimeter", kind: "permit", because: found.map((signal) => `signal:${signal}`) } as const,
  ];

  return [
    attack("stuffing from one address", "credential-stuffing", begin(), 300, 2 * SECOND, (at) =>
      stranger({ receivedAt: at, method: "POST", interaction: "unknown", peerAddress: "185.1.1.1" }),
    ),
    attack("tokens guessed", "token-guessing", begin(), 400, SECOND, (at) =>
      stranger({ receivedAt: at, peerAddress: "185.1.1.2", problem: "smart-auth/token-invalid" }),
    ),
    attack("tokens guessed slowly", "token-guessing", begin(), 400, 8 * SECOND, (at) =>
      stranger({ receivedAt: at, peerAddress: "185.1.1.3", problem: "smart-auth/token-invalid" }),
    ),
    attack("patients counted upwards", "patient-enumeration", begin(), 300, 2 * SECOND, (at, n) =>
      record({ ...read(70_000 + n), receivedAt: at, peerAddress: "185.1.1.4", principal: thief("thief-1") }),
    ),
    attack("patients guessed", "patient-enumeration", begin(), 300, 5 * SECOND, (at) => {
      const number = Math.floor(random() * 1e9);
      const asked = { ...read(number), patients: [], status: 404 };
      return record({ ...asked, receivedAt: at, peerAddress: "185.1.1.5", principal: thief("thief-2") });
    }),
    attack("patients harvested from lists", "bulk-access", begin(), 400, 30 * SECOND, (at) =>
      record({
        interaction: "search-type",
        resourceType: "Observation",
        patients: Array.from({ length: 20 }, () => `p-${Math.floor(random() * 200_000)}`),
        responseBytes: 400_000,
        receivedAt: at,
        peerAddress: "203.0.113.3",
        principal: thief("thief-3"),
      }),
    ),
    attack("records read one at a time, all day", "bulk-access", begin(), 2000, 20 * SECOND, (at) => {
      const number = Math.floor(random() * 200_000);
      const asked = { interaction: "search-type", resourceType: "Condition", patients: [`p-${number}`] } as const;
      return record({ ...asked, receivedAt: at, peerAddress: "203.0.113.5", principal: thief("thief-4") });
    }),
    attack("scopes tried out", "scope-probing", begin(), 80, 5 * SECOND, (at, n) =>
      record({
        outcome: "deny",
        problem: "smart-auth/scope-insufficient",
        interaction: n % 2 === 0 ? "read" : "create",
        resourceType: `Type${n % 40}`,
        resource: `Type${n % 40}/1`,
        receivedAt: at,
        peerAddress: "185.1.1.6",
        principal: thief("thief-5"),
      }),
    ),
    attack("a scanner", "scanner", begin(), 200, SECOND, (at) =>
      stranger({
        receivedAt: at,
        peerAddress: "185.1.1.7",
        status: 404,
        problem: "gateway/no-route",
        decisions: signals("scanner-agent", "path-probing"),
      }),
    ),
    attack("a scanner that hides its name", "scanner", begin(), 200, 10 * SECOND, (at) =>
      stranger({
        receivedAt: at,
        peerAddress: "185.1.1.8",
        status: 404,
        problem: "gateway/no-route",
        decisions: signals("path-probing", "no-user-agent", "no-accept"),
      }),
    ),
    attack("everything exported again and again", "export-misuse", begin(), 12, 40 * MINUTE, (at) =>
      record({
        interaction: "operation",
        operation: "export",
        receivedAt: at,
        peerAddress: "172.16.39.9",
        principal: thief("system-thief", { clientId: "system-thief", roles: ["system"] }),
      }),
    ),
    attack("break-glass without an emergency", "break-glass-overuse", begin(), 40, 5 * MINUTE, (at, n) =>
      record({
        ...read(1000 + n * 37),
        receivedAt: at,
        peerAddress: "203.0.113.7",
        principal: thief("curious", { purposeOfUse: ["BTG"] }),
      }),
    ),
    attack("a session used on two continents", "impossible-travel", begin(), 20, 5 * MINUTE, (at, n) =>
      record({
        receivedAt: at,
        peerAddress: n % 2 === 0 ? "203.0.113.8" : "185.9.9.9",
        principal: thief("cloned"),
      }),
    ),
    attack("a forgotten client in new hands", "silent-wakes", begin(), 120, 10 * SECOND, (at, n) =>
      record({
        ...read(n * 91),
        receivedAt: at,
        peerAddress: "185.1.1.9",
        principal: thief("sleeper", { clientId: "sleeper", roles: ["system"] }),
      }),
    ),
  ];
}

/** What the forgotten client did long before the week. */
export function longAgo(weekFrom: number): AccessRecord {
  const sleeper = principal("sleeper", { clientId: "sleeper", roles: ["system"] });
  return record({ receivedAt: weekFrom - 45 * DAY, peerAddress: "172.16.39.8", principal: sleeper });
}

/** Where the town and its attackers are: hospitals and phones in one place, strangers far away. */
export function locate(address: string): { latitude: number; longitude: number } {
  if (address.startsWith("185.")) return { latitude: -33.87, longitude: 151.21 };
  if (address === "192.0.2.200") return { latitude: 40.71, longitude: -74.01 };
  if (address.startsWith("100.64.")) return { latitude: 50.11, longitude: 8.68 };
  return { latitude: 52.52, longitude: 13.4 };
}

function read(number: number): Pick<AccessRecord, "resource" | "patients"> {
  return { resource: `Patient/p-${number}`, patients: [`p-${number}`] };
}

function attack(
  name: string,
  pattern: Pattern,
  from: number,
  count: number,
  everyMs: number,
  one: (at: number, n: number) => AccessRecord,
): Attack {
  const records = Array.from({ length: count }, (_, n) => ({
    ...one(from + n * everyMs, n),
    requestId: `${ATTACK}${name}`,
  }));
  return { name, pattern, from, records };
}

/** How an attack's records begin their request id. */
export const ATTACK = "attack: ";
