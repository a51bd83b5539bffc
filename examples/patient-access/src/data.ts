import { readdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** A resource as JSON. */
export interface Resource {
  readonly resourceType: string;
  readonly id: string;
  readonly [element: string]: unknown;
}

/**
 * Six patients of the official R4 examples and what their records hold, by the examples' own ids. Examples that the
 * standard gives to somebody else become theirs; see `moveInto`.
 */
export const CHARTS: Readonly<Record<string, Chart>> = {
  example: {
    Encounter: ["example", "emerg"],
    Condition: ["example", "example2"],
    Observation: ["example", "blood-pressure", "body-temperature", "heart-rate", "respiratory-rate", "bmi"],
    MedicationRequest: ["medrx0304", "medrx0312"],
    Appointment: ["2docs"],
  },
  f001: {
    Encounter: ["f001", "f002", "f003"],
    Condition: ["f001", "f002", "f003"],
    Observation: ["f001", "f002", "f003", "f004", "f005"],
    MedicationRequest: ["medrx0306", "medrx0308"],
    Appointment: [],
  },
  f201: {
    Encounter: ["f201", "f203"],
    Condition: ["f201", "f202", "f204"],
    Observation: ["f202", "f203", "f204", "f205", "f206"],
    MedicationRequest: ["medrx0311", "medrx0330"],
    Appointment: ["examplereq"],
  },
  pat1: {
    Encounter: ["home"],
    Condition: ["stroke"],
    Observation: ["eye-color", "body-height", "glasgow"],
    MedicationRequest: ["medrx002", "medrx0302", "medrx0303"],
    Appointment: [],
  },
  glossy: {
    Encounter: ["xcda"],
    Condition: ["f205"],
    Observation: ["blood-pressure-dar", "bmd", "unsat"],
    MedicationRequest: ["medrx0317"],
    Appointment: [],
  },
  "infant-mom": {
    Encounter: ["f202"],
    Condition: ["f203", "family-history"],
    Observation: ["alcohol-type", "date-lastmp", "abdo-tender"],
    MedicationRequest: ["medrx0320"],
    Appointment: [],
  },
};

/** The standard has too few of these to go round: every patient gets a copy, `example-<patient>`. */
const SHARED = { Appointment: "example", DocumentReference: "example", Provenance: "example" } as const;

/** Linked to from a chart: a patient whose own record is not here. */
const OTHERS = ["Patient-pat2.json"];

/** What records point to without being anybody's: loaded whole. */
const SUPPORT = ["Practitioner", "PractitionerRole", "Organization", "Location", "Medication"];

interface Chart {
  readonly Encounter: readonly string[];
  readonly Condition: readonly string[];
  readonly Observation: readonly string[];
  readonly MedicationRequest: readonly string[];
  readonly Appointment: readonly string[];
}

const FOLDER = dirname(createRequire(import.meta.url).resolve("hl7.fhir.r4.examples/package.json"));

/** Reads the example data: the same resources with the same ids at every start. */
export async function readExamples(): Promise<readonly Resource[]> {
  const files = await readdir(FOLDER);
  const support = [...OTHERS, ...files.filter((file) => SUPPORT.some((type) => file.startsWith(`${type}-`)))];
  const charts = await Promise.all(Object.entries(CHARTS).map(([patient, chart]) => readChart(patient, chart)));
  return [...(await Promise.all(support.map(readExample))), ...charts.flat()];
}

async function readChart(patient: string, chart: Chart): Promise<readonly Resource[]> {
  const own = Object.entries(chart).flatMap(([type, ids]) => (ids as string[]).map((id) => ({ type, from: id, id })));
  const shared = Object.entries(SHARED).map(([type, from]) => ({ type, from, id: `${from}-${patient}` }));
  const all = [...own, ...shared];
  const inside = new Set(all.map(({ type, id }) => `${type}/${id}`));
  const move = moveInto(patient, inside);
  const records = all.map(async ({ type, from, id }) => {
    const { text: _, ...record } = move(await readExample(`${type}-${from}.json`)) as unknown as Resource;
    return type === "Provenance" ? { ...record, id, target: targetsOf(patient, inside) } : { ...record, id };
  });
  return Promise.all([readExample(`Patient-${patient}.json`), ...records]);
}

/** Where a shared Provenance points: the patient and one record of each kind. */
function targetsOf(patient: string, inside: ReadonlySet<string>): readonly { readonly reference: string }[] {
  const kinds = new Map([...inside].map((reference) => [reference.split("/")[0], reference]));
  kinds.delete("Provenance");
  return [`Patient/${patient}`, ...kinds.values()].map((reference) => ({ reference }));
}

/**
 * Makes an example part of a patient's record: whatever points to a patient points to this one, and what points to a
 * record of a kind in the chart stays inside the chart. The narrative is left out by the caller, for it tells of the
 * patient the standard had in mind.
 */
function moveInto(patient: string, inside: ReadonlySet<string>): (value: unknown) => unknown {
  const move = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(move);
    if (value === null || typeof value !== "object") return value;
    const moved = Object.fromEntries(Object.entries(value).map(([name, part]) => [name, move(part)]));
    const reference = moved["reference"];
    if (typeof reference !== "string") return moved;
    const target = home(reference, patient, inside);
    // A display would still name the patient of old.
    return target === reference ? moved : { reference: target };
  };
  return move;
}

function home(reference: string, patient: string, inside: ReadonlySet<string>): string {
  const [type] = reference.split("/");
  if (type === "Patient") return `Patient/${patient}`;
  if (inside.has(reference)) return reference;
  return [...inside].find((record) => record.startsWith(`${type}/`)) ?? reference;
}

async function readExample(file: string): Promise<Resource> {
  return JSON.parse(await readFile(join(FOLDER, file), "utf8")) as Resource;
}
