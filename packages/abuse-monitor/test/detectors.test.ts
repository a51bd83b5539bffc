import type { AccessRecord } from "@wardline/policy-types";
import { describe, expect, it } from "vitest";
import type { Severity } from "../src/detectors/detector.ts";
import { DEFAULT_THRESHOLDS, type Finding, type MonitorPolicy, type Pattern, simulate } from "../src/index.ts";
import { AT, ISSUER, principal, record, stranger } from "./support/records.ts";

const KEY = new Uint8Array(16).fill(1);
const DAY = 86_400_000;

interface Told {
  readonly pattern: Pattern;
  readonly kind: string;
  readonly severity: Severity;
  readonly findings: readonly Finding[];
}

async function told(records: readonly AccessRecord[], policy: MonitorPolicy = {}): Promise<readonly Told[]> {
  const { alerts } = await simulate(records, { key: KEY, ...policy });
  return alerts.map(({ pattern, severity, whom, findings }) => ({ pattern, kind: whom.kind, severity, findings }));
}

const many = (count: number, one: (n: number) => AccessRecord, everyMs = 1000): AccessRecord[] =>
  Array.from({ length: count }, (_, n) => ({ ...one(n), receivedAt: one(n).receivedAt + n * everyMs }));

const patterns = (found: readonly Told[]): string[] => found.map(({ pattern, kind }) => `${pattern} ${kind}`);

const loginFailed = (changes: Partial<AccessRecord> = {}) =>
  stranger({ method: "POST", interaction: "unknown", peerAddress: "198.51.100.7", ...changes });
const tokenRefused = (changes: Partial<AccessRecord> = {}) =>
  stranger({ problem: "smart-auth/token-invalid", peerAddress: "198.51.100.7", ...changes });
const asked = (number: number, changes: Partial<AccessRecord> = {}) =>
  record({ resource: `Patient/p-${number}`, patients: [`p-${number}`], ...changes });
const missed = (number: number) => asked(number, { status: 404, patients: [] });
const noticed = (...found: string[]): AccessRecord["decisions"] => [
  { control: "perimeter", kind: "permit", because: found.map((one) => `signal:${one}`) },
];
const signals = (...found: string[]) =>
  stranger({ status: 404, problem: "gateway/no-route", decisions: noticed(...found) });

const signingIn = (status: number, endpoint: "token" | "other" = "token", peerAddress = "198.51.100.7") =>
  stranger({
    method: "POST",
    interaction: "unknown",
    peerAddress,
    status,
    outcome: "permit",
    signIn: { issuer: "https://id.example", endpoint, clientId: "app" },
  });

describe("sign-in at the edge", () => {
  const { addressFailures, clientFailures } = DEFAULT_THRESHOLDS.credentialStuffing;

  it("tells of credentials that fail at the token endpoint, whoever refuses them, by address and by client", async () => {
    const refused = (n: number) => signingIn(n % 2 === 0 ? 400 : 401);
    expect(patterns(await told(many(addressFailures, refused)))).toEqual(["credential-stuffing address"]);
    expect(await told(many(addressFailures - 1, refused))).toEqual([]);
    const everywhere = (n: number) => signingIn(401, "token", `203.0.${n}.1`);
    expect(patterns(await told(many(clientFailures, everywhere)))).toEqual(["credential-stuffing client"]);
  });

  it("takes no page, no full window and no server that is away for a failed login", async () => {
    const harmless = [200, 303, 400, 404].map((status) => signingIn(status, "other"));
    const others = [...harmless, signingIn(429), signingIn(502), signingIn(503)];
    expect(await told(many(addressFailures * 7, (n) => others[n % others.length] as AccessRecord))).toEqual([]);
  });
});

describe("each pattern is told at its threshold, and not one below", () => {
  const { credentialStuffing, tokenGuessing, patientEnumeration, scopeProbing, exportMisuse, breakGlassOveruse } =
    DEFAULT_THRESHOLDS;
  const forbidden = (n: number, changes: Partial<AccessRecord> = {}) =>
    record({ outcome: "deny", problem: "smart-auth/scope-insufficient", resourceType: `Type${n}`, ...changes });
  const exported = (changes: Partial<AccessRecord> = {}) =>
    record({ interaction: "operation", operation: "export", ...changes });
  const broken = (n: number) => asked(n * 17, { principal: principal("doctor", { purposeOfUse: ["BTG"] }) });

  it.each([
    ["credential-stuffing address", credentialStuffing.addressFailures, () => loginFailed(), 1000],
    ["token-guessing address", tokenGuessing.failures, () => tokenRefused(), 1000],
    ["patient-enumeration subject", patientEnumeration.misses, (n: number) => missed(n * 17), 1000],
    ["patient-enumeration subject", patientEnumeration.sequence, (n: number) => asked(n), 1000],
    ["patient-enumeration subject", patientEnumeration.sequence, (n: number) => asked(5000 - n), 1000],
    ["scope-probing subject", scopeProbing.combinations, (n: number) => forbidden(n), 1000],
    ["scanner address", 10, () => signals("path-probing"), 1000],
    ["scanner address", 4, () => signals("scanner-agent"), 1000],
    ["scanner address", 20, () => signals("something-new"), 1000],
    ["export-misuse subject", exportMisuse.fullExports, () => exported(), 3_600_000],
    ["export-misuse subject", exportMisuse.exports, () => exported({ parameters: ["_since"] }), 60_000],
    ["break-glass-overuse subject", breakGlassOveruse.patients, broken, 1000],
  ] as const)("%s after %i", async (name, threshold, one, everyMs) => {
    expect(patterns(await told(many(threshold - 1, one, everyMs)))).toEqual([]);
    expect(patterns(await told(many(threshold, one, everyMs)))).toContain(name);
  });

  it("too many patients, within what the sketch may err", async () => {
    const limit = patientEnumeration.patients;
    expect(patterns(await told(many(Math.floor(limit * 0.85), (n) => asked(n * 17))))).toEqual([]);
    expect(patterns(await told(many(Math.ceil(limit * 1.15), (n) => asked(n * 17))))).toContain(
      "patient-enumeration subject",
    );
  });

  it("refused operations", async () => {
    const refused = () => record({ outcome: "deny", interaction: "operation", resourceType: "Group" });
    expect(patterns(await told(many(exportMisuse.refusedOperations - 1, refused)))).toEqual([]);
    expect(patterns(await told(many(exportMisuse.refusedOperations, refused)))).toEqual(["export-misuse subject"]);
  });

  it("says what was seen, against which threshold and over what time", async () => {
    const [alert] = await told(many(40, () => tokenRefused()));
    expect(alert?.findings).toEqual([{ measure: "refused-tokens", value: 40, threshold: 40, windowSeconds: 600 }]);
  });

  it("the break-glass of smart-auth's decision counts like that of the token", async () => {
    const decisions = [{ control: "smart-auth", kind: "permit", because: ["break-glass"] }] as const;
    const found = await told(many(breakGlassOveruse.patients, (n) => asked(n * 17, { decisions })));
    expect(patterns(found)).toEqual(["break-glass-overuse subject"]);
  });
});

describe("what looks like a pattern and is none", () => {
  it("failures among many requests that succeed: a hospital behind one address", async () => {
    const hospital = (n: number) =>
      n % 3 === 0 ? tokenRefused() : record({ peerAddress: "198.51.100.7", principal: principal(`u-${n}`) });
    expect(await told(many(2000, hospital, 100))).toEqual([]);
  });

  it("the same failures spread over hours", async () => {
    expect(await told(many(200, () => tokenRefused(), 60_000))).toEqual([]);
  });

  it("no credentials at all: a client that asks first what is needed", async () => {
    expect(await told(many(500, () => stranger({ problem: "smart-auth/credentials-missing" })))).toEqual([]);
  });

  it("one thing refused again and again: an app that is set up wrongly", async () => {
    expect(await told(many(500, () => record({ outcome: "deny" })))).toEqual([]);
  });

  it("one patient read again and again", async () => {
    expect(await told(many(500, () => asked(1)))).toEqual([]);
  });

  it("a system that reads its register in order", async () => {
    const system = principal("hub", { clientId: "hub" });
    expect(await told(many(400, (n) => asked(n, { principal: system })))).toEqual([]);
  });

  it("absent headers of a caller that is known and permitted: a plain device, however fast", async () => {
    const plain = record({ peerAddress: "198.51.100.7", decisions: noticed("no-user-agent", "no-accept") });
    expect(await told(many(20_000, () => plain, 10))).toEqual([]);
    const missing = { ...plain, status: 404 };
    expect(patterns(await told(many(2000, () => missing, 10)))).toEqual([]);
  });

  it("a gateway that fails or throttles", async () => {
    const busy = (n: number) =>
      record({ outcome: "deny", status: n % 2 === 0 ? 429 : 503, resource: `Patient/p-${n * 17}` });
    expect(await told(many(60, busy))).toEqual([]);
  });
});

describe("absent headers are the weakest sign of a scanner", () => {
  const severities = (found: readonly Told[]) => found.map(({ pattern, severity }) => `${pattern} ${severity}`);

  it.each([[["no-user-agent"]], [["no-accept"]], [["no-user-agent", "no-accept"]]])(
    "%s alone are told as low, however many",
    async (found) => {
      expect(severities(await told(many(20_000, () => signals(...found), 20)))).toEqual(["scanner low"]);
    },
  );

  it("weighed a hundred times as much they are low still", async () => {
    const weights = { "no-user-agent": 100, "no-accept": 100 };
    const found = await told(
      many(500, () => signals("no-user-agent", "no-accept")),
      { thresholds: { scanner: { weights } } },
    );
    expect(severities(found)).toEqual(["scanner low"]);
  });

  it("a few other signals do not make them more", async () => {
    const mixed = (n: number) => (n % 1000 === 0 ? signals("path-probing") : signals("no-user-agent", "no-accept"));
    expect(severities(await told(many(5000, mixed, 100)))).toEqual(["scanner low"]);
  });

  it("beside them a scanner's own signals count in full, also of a known caller that is permitted", async () => {
    const all = ["path-probing", "no-user-agent", "no-accept"];
    expect(severities(await told(many(9, () => signals(...all))))).toEqual([]);
    expect(severities(await told(many(10, () => signals(...all))))).toEqual(["scanner medium"]);
    const known = record({ peerAddress: "198.51.100.7", decisions: noticed(...all) });
    expect(severities(await told(many(10, () => known)))).toEqual(["scanner medium"]);
    expect(severities(await told(many(300, () => signals(...all))))).toEqual([
      "scanner medium",
      "scanner high",
      "scanner critical",
    ]);
  });

  it("what is permitted to anybody makes nobody known", async () => {
    const anonymous = stranger({
      outcome: "permit",
      interaction: "capabilities",
      decisions: noticed("no-user-agent", "no-accept"),
    });
    expect(severities(await told(many(400, () => ({ ...anonymous, status: 200 }))))).toEqual(["scanner low"]);
  });

  it("a known caller that is refused is no exception", async () => {
    const refused = record({ outcome: "deny", decisions: noticed("no-user-agent", "no-accept") });
    expect(severities(await told(many(400, () => refused)))).toEqual(["scanner low"]);
  });
});

describe("bulk access", () => {
  const list = (day: number, count: number, who = "user-1", changes: Partial<AccessRecord> = {}): AccessRecord[] =>
    Array.from({ length: count }, (_, n) =>
      record({
        interaction: "search-type",
        resourceType: "Condition",
        resource: undefined as never,
        patients: [`p-${day}-${n}`],
        receivedAt: AT + day * DAY + n * 20_000,
        principal: principal(who),
        ...changes,
      }),
    );
  const weekOf = (count: number, who?: string) => [0, 1, 2, 3].flatMap((day) => list(day, count, who));

  it("is told beyond three times the caller's own highest day", async () => {
    const usual = weekOf(40);
    expect(await told([...usual, ...list(4, 105)])).toEqual([]);
    expect(patterns(await told([...usual, ...list(4, 150)]))).toEqual(["bulk-access subject"]);
  });

  it("is not told of a caller that always reads so much", async () => {
    expect(await told([...weekOf(400), ...list(4, 450)])).toEqual([]);
  });

  it("is told of a newcomer far beyond its peers", async () => {
    const peers = Array.from({ length: 30 }, (_, n) => weekOf(15, `peer-${n}`)).flat();
    const sorted = peers.sort((a, b) => a.receivedAt - b.receivedAt);
    expect(patterns(await told([...sorted, ...list(5, 150, "newcomer")]))).toEqual(["bulk-access subject"]);
  });

  it("is told of a person from 1,500 patients on, whatever the history", async () => {
    const busy = [0, 1, 2, 3].flatMap((day) => list(day, 1300, "hoarder", {}));
    const found = await told([...busy, ...list(4, 1900, "hoarder")], {
      thresholds: { bulkAccess: { leastPatients: 50 } },
    });
    expect(found.flatMap(({ findings }) => findings).at(-1)).toMatchObject({
      measure: "distinct-patients",
      threshold: 1500,
    });
  });

  it("is told sooner at night of somebody who works by day", async () => {
    const night = list(4, 60).map((one) => ({ ...one, receivedAt: one.receivedAt + 14 * 3_600_000 }));
    expect(patterns(await told([...weekOf(15), ...night]))).toEqual(["bulk-access subject"]);
    expect(await told([...weekOf(15), ...list(4, 60)])).toEqual([]);
  });

  it("at night half of three times the highest day is enough, for who reads much by day", async () => {
    const night = list(4, 130).map((one) => ({ ...one, receivedAt: one.receivedAt + 14 * 3_600_000 }));
    expect(patterns(await told([...weekOf(60), ...night]))).toEqual(["bulk-access subject"]);
    expect(await told([...weekOf(60), ...list(4, 130)])).toEqual([]);
  });

  it("is not told sooner at night of somebody who works at night", async () => {
    const late = (records: AccessRecord[]) =>
      records.map((one) => ({ ...one, receivedAt: one.receivedAt + 14 * 3_600_000 }));
    expect(await told(late([...weekOf(15), ...list(4, 80)]))).toEqual([]);
  });

  it("counts bytes and resources as well as patients", async () => {
    const large = list(4, 90, "user-1", { patients: ["p-1"], responseBytes: 5_000_000 });
    const [bytes] = await told([...weekOf(40), ...large]);
    expect(bytes?.findings[0]?.measure).toBe("bytes");
    const pieces = list(4, 2500, "user-1", { patients: ["p-1"], responseBytes: 10 }).map((one, n) => ({
      ...one,
      receivedAt: AT + 4 * DAY + n * 1000,
      resource: `Condition/c-${n}`,
    }));
    const [resources] = await told([...weekOf(40), ...pieces]);
    expect(resources?.findings[0]?.measure).toBe("distinct-resources");
  });
});

describe("impossible travel", () => {
  const places: Readonly<Record<string, { latitude: number; longitude: number }>> = {
    "192.0.2.1": { latitude: 52.5, longitude: 13.4 },
    "192.0.2.2": { latitude: 50.1, longitude: 8.7 },
    "192.0.2.3": { latitude: -33.9, longitude: 151.2 },
  };
  const locate = (address: string) => places[address];
  const trip = (...stops: readonly (readonly [string, number])[]) =>
    stops.map(([peerAddress, hours]) => record({ peerAddress, receivedAt: AT + hours * 3_600_000 }));

  it("is told of one person in Berlin and an hour later in Sydney", async () => {
    expect(patterns(await told(trip(["192.0.2.1", 0], ["192.0.2.3", 1]), { locate }))).toEqual([
      "impossible-travel subject",
    ]);
  });

  it.each([
    ["the journey takes a day", trip(["192.0.2.1", 0], ["192.0.2.3", 24])],
    ["the places are near", trip(["192.0.2.1", 0], ["192.0.2.2", 0.1])],
    ["one of the places is not known", trip(["192.0.2.1", 0], ["203.0.113.1", 0.1])],
  ])("is not told when %s", async (_name, records) => {
    expect(await told(records, { locate })).toEqual([]);
  });

  it("is told once of a place, not each time the tunnel is switched on", async () => {
    const back = trip(["192.0.2.1", 0], ["192.0.2.3", 1], ["192.0.2.1", 3], ["192.0.2.3", 5], ["192.0.2.1", 7]);
    expect(await told(back, { locate })).toHaveLength(1);
  });

  it("is not told of a system, which may stand in two places", async () => {
    const hub = principal("hub", { clientId: "hub" });
    const records = trip(["192.0.2.1", 0], ["192.0.2.3", 0.1]).map((one) => ({ ...one, principal: hub }));
    expect(await told(records, { locate })).toEqual([]);
  });

  it.each([
    [
      "throws",
      () => {
        throw new Error("no database");
      },
    ],
    ["answers nonsense", () => ({ latitude: 1000, longitude: Number.NaN })],
  ])("a locate that %s knows nothing and breaks nothing", async (_name, broken) => {
    expect(await told(trip(["192.0.2.1", 0], ["192.0.2.3", 1]), { locate: broken })).toEqual([]);
  });
});

describe("silent clients that wake", () => {
  const sleeper = (days: number, n: number) =>
    record({
      principal: principal("s", { clientId: "s" }),
      receivedAt: AT + days * DAY + n * 1000,
      patients: [`p-${n % 3}`],
    });

  it("are told when they are busy at once after thirty days", async () => {
    const busy = Array.from({ length: 50 }, (_, n) => sleeper(31, n));
    expect(patterns(await told([sleeper(0, 0), ...busy]))).toEqual(["silent-wakes client"]);
    expect(await told([sleeper(0, 0), ...busy.slice(1)])).toEqual([]);
  });

  it("are not told after a holiday", async () => {
    expect(await told([sleeper(0, 0), ...Array.from({ length: 200 }, (_, n) => sleeper(21, n))])).toEqual([]);
  });

  it("are not told when nobody knew them before", async () => {
    expect(await told(Array.from({ length: 200 }, (_, n) => sleeper(31, n)))).toEqual([]);
  });
});

describe("clients that nobody has proved to be", () => {
  const { clientFailures } = DEFAULT_THRESHOLDS.credentialStuffing;
  const claiming = (clientId: string, n: number, status = 401) => {
    const signIn = { issuer: ISSUER, endpoint: "token", clientId } as const;
    const peerAddress = `203.0.${n % 200}.${Math.floor(n / 200)}`;
    return stranger({ method: "POST", interaction: "unknown", receivedAt: AT + n * 1000, peerAddress, status, signIn });
  };
  const client = (n: number, changes: Partial<AccessRecord> = {}) =>
    record({ principal: principal(`s${n}`, { clientId: "s" }), receivedAt: AT + n * 1000, ...changes });

  it("S8: made-up names by the thousand displace no client that is known", async () => {
    const madeUp = Array.from({ length: 2000 }, (_, n) => claiming(`made-up-${n}`, n));
    const busy = Array.from({ length: 50 }, (_, n) => client(n, { receivedAt: AT + 31 * DAY + n * 1000 }));
    const found = await told([client(0), ...madeUp, ...busy], { maxCallers: 100 });
    expect(patterns(found)).toContain("silent-wakes client");
  });

  it("what failed under a name counts for whoever then proves to be it", async () => {
    const failing = Array.from({ length: clientFailures - 1 }, (_, n) => claiming("s", n));
    const served = client(clientFailures);
    const one = claiming("s", clientFailures + 1);
    expect(patterns(await told([...failing, served, one]))).toEqual(["credential-stuffing client"]);
    expect(patterns(await told([...failing, served]))).toEqual([]);
    expect(patterns(await told([served, ...failing, one]))).toEqual(["credential-stuffing client"]);
  });

  it("logins that fail under its name hide no client that probes", async () => {
    const probes = (n: number) => {
      const changes = { outcome: "deny", resourceType: `Type${n}`, problem: "smart-auth/scope-insufficient" } as const;
      return client(n, changes);
    };
    const probing = Array.from({ length: 60 }, (_, n) => probes(n));
    const hidden = probing.flatMap((one, n) => [one, ...Array.from({ length: 3 }, (_, m) => claiming("s", n * 3 + m))]);
    expect(patterns(await told(probing))).toContain("scope-probing client");
    expect(patterns(await told(hidden))).toContain("scope-probing client");
  });
});

describe("severity", () => {
  it("rises with the distance from the threshold", async () => {
    const { alerts } = await simulate(
      many(500, () => tokenRefused(), 100),
      { key: KEY },
    );
    expect(alerts.map(({ severity }) => severity)).toEqual(["high", "critical"]);
  });
});
