/** From where on a pattern is told. Counts are per window and caller; a value that reaches its threshold is told. */
export interface Thresholds {
  readonly credentialStuffing: {
    readonly windowSeconds: number;
    /** Failed logins from one address, and their least share of its logins. */
    readonly addressFailures: number;
    readonly clientFailures: number;
    readonly failureShare: number;
    /** Failed logins to one name. */
    readonly nameFailures: number;
    /** Different names tried in vain from one address. */
    readonly namesPerAddress: number;
    /** Different addresses that tried one name in vain. */
    readonly addressesPerName: number;
  };
  readonly tokenGuessing: {
    readonly windowSeconds: number;
    readonly failures: number;
    /** Least share of the address's requests: a hospital behind one address has expired tokens every day. */
    readonly failureShare: number;
  };
  readonly patientEnumeration: {
    readonly windowSeconds: number;
    /** Different patients asked for by id, of a person; a system is left to bulk-access. */
    readonly patients: number;
    /** Different patients asked for that do not exist or may not be seen. */
    readonly misses: number;
    /** Patients in a row whose numbers follow each other, of a person. */
    readonly sequence: number;
  };
  readonly bulkAccess: {
    /** Times the caller's own highest day, or its peers' usual highest while it has no three days of its own. */
    readonly factor: number;
    /** At night, for a caller that does not work at night, thresholds are multiplied by this. */
    readonly nightShare: number;
    readonly nightFromHour: number;
    readonly nightToHour: number;
    /** Minutes east of UTC. */
    readonly utcOffsetMinutes: number;
    /** Never told below these. */
    readonly leastPatients: number;
    readonly leastResources: number;
    readonly leastBytes: number;
    /** Always told from here on for a person, whatever the history says. */
    readonly mostPatients: number;
  };
  readonly scopeProbing: {
    readonly windowSeconds: number;
    /** Different combinations of type and interaction refused with 403. */
    readonly combinations: number;
    readonly clientCombinations: number;
    readonly refusedShare: number;
  };
  readonly scanner: {
    readonly windowSeconds: number;
    readonly score: number;
    /** What a signal of perimeter adds to the score; those not named add 1. Absent headers never make it more than low. */
    readonly weights: Readonly<Record<string, number>>;
  };
  readonly exportMisuse: {
    readonly windowSeconds: number;
    /** Exports without `_since`. */
    readonly fullExports: number;
    readonly exports: number;
    readonly refusedOperations: number;
  };
  readonly breakGlassOveruse: {
    readonly windowSeconds: number;
    readonly patients: number;
    readonly uses: number;
  };
  readonly impossibleTravel: {
    readonly kilometresPerHour: number;
    /** Shorter journeys are the geolocation's doubt. */
    readonly leastKilometres: number;
  };
  readonly silentWakes: {
    readonly silentDays: number;
    /** Requests in the first hour, or patients, that make the awakening worth telling. */
    readonly requests: number;
    readonly patients: number;
  };
}

/** Thresholds to change; the others keep their defaults. */
export type ThresholdOptions = { readonly [Name in keyof Thresholds]?: Partial<Thresholds[Name]> };

export const DEFAULT_THRESHOLDS: Thresholds = Object.freeze({
  credentialStuffing: Object.freeze({
    windowSeconds: 900,
    addressFailures: 60,
    clientFailures: 200,
    failureShare: 0.5,
    nameFailures: 20,
    namesPerAddress: 20,
    addressesPerName: 8,
  }),
  tokenGuessing: Object.freeze({ windowSeconds: 600, failures: 40, failureShare: 0.5 }),
  patientEnumeration: Object.freeze({ windowSeconds: 600, patients: 100, misses: 20, sequence: 12 }),
  bulkAccess: Object.freeze({
    factor: 3,
    nightShare: 0.5,
    nightFromHour: 22,
    nightToHour: 6,
    utcOffsetMinutes: 0,
    leastPatients: 100,
    leastResources: 2000,
    leastBytes: 200_000_000,
    mostPatients: 1500,
  }),
  scopeProbing: Object.freeze({ windowSeconds: 900, combinations: 10, clientCombinations: 30, refusedShare: 0.3 }),
  scanner: Object.freeze({
    windowSeconds: 600,
    score: 20,
    weights: Object.freeze({ "scanner-agent": 5, "path-probing": 2, "no-user-agent": 0.05, "no-accept": 0.05 }),
  }),
  exportMisuse: Object.freeze({ windowSeconds: 86_400, fullExports: 4, exports: 48, refusedOperations: 10 }),
  breakGlassOveruse: Object.freeze({ windowSeconds: 86_400, patients: 12, uses: 200 }),
  impossibleTravel: Object.freeze({ kilometresPerHour: 1000, leastKilometres: 500 }),
  silentWakes: Object.freeze({ silentDays: 30, requests: 50, patients: 10 }),
});
