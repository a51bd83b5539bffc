import { describe, expect, it } from "vitest";
import { CHARTS, type Resource, readExamples } from "../src/data.ts";

const KINDS = [
  "Observation",
  "Condition",
  "MedicationRequest",
  "Encounter",
  "DocumentReference",
  "Appointment",
  "Provenance",
];

const resources = await readExamples();
const charts = Object.keys(CHARTS);

describe("the example data", () => {
  it("are the same at every start", async () => {
    expect(await readExamples()).toEqual(resources);
  });

  it("hold every resource once", () => {
    const names = resources.map(nameOf);
    expect(names.length).toBe(new Set(names).size);
  });

  it("hold at least five patients", () => {
    expect(charts.length).toBeGreaterThanOrEqual(5);
    for (const id of charts) expect(resources.map(nameOf)).toContain(`Patient/${id}`);
  });

  it.each(charts)("Patient/%s has every kind of record", (patient) => {
    const own = resources.filter((resource) => patientsIn(resource).includes(patient));
    expect(KINDS.filter((kind) => !own.some(({ resourceType }) => resourceType === kind))).toEqual([]);
  });

  it("give every record to one patient", () => {
    for (const resource of resources.filter(({ resourceType }) => KINDS.includes(resourceType))) {
      expect(patientsIn(resource), nameOf(resource)).toHaveLength(1);
    }
  });

  it("have no record that points into another patient's", () => {
    const owner = new Map(resources.map((resource) => [nameOf(resource), patientsIn(resource)[0]]));
    for (const resource of resources.filter(({ resourceType }) => KINDS.includes(resourceType))) {
      const [patient] = patientsIn(resource);
      const others = referencesIn(resource).filter((name) => (owner.get(name) ?? patient) !== patient);
      expect(others, nameOf(resource)).toEqual([]);
    }
  });

  it("have Provenance about the patient and about records", () => {
    for (const patient of charts) {
      const provenance = resources.find((resource) => nameOf(resource) === `Provenance/example-${patient}`);
      const targets = referencesIn(provenance?.["target"]);
      expect(targets).toContain(`Patient/${patient}`);
      for (const kind of ["Observation", "DocumentReference"]) {
        expect(targets.some((target) => target.startsWith(`${kind}/`))).toBe(true);
      }
    }
  });
});

function nameOf({ resourceType, id }: Resource): string {
  return `${resourceType}/${id}`;
}

function referencesIn(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(referencesIn);
  if (value === null || typeof value !== "object") return [];
  const { reference } = value as { reference?: unknown };
  return [...(typeof reference === "string" ? [reference] : []), ...Object.values(value).flatMap(referencesIn)];
}

function patientsIn(resource: Resource): readonly string[] {
  const ids = referencesIn(resource).flatMap((reference) => /^Patient\/(.+)$/.exec(reference)?.[1] ?? []);
  return [...new Set(resource.resourceType === "Patient" ? [resource.id] : ids)];
}
