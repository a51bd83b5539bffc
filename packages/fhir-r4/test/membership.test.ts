import { inCompartment, patientsOf } from "@wardline/fhir-r4";
import { describe, expect, it } from "vitest";

const OPTIONS = { baseUrls: ["https://fhir.example.org/fhir"] };
const ONE = { type: "Patient", id: "1" } as const;
const ref = (reference: unknown, more: object = {}) => ({ reference, ...more });
const observation = (subject: unknown, more: object = {}) => ({ resourceType: "Observation", subject, ...more });
const judge = (resource: unknown) => ({
  subject: inCompartment(resource, ONE, "subject", OPTIONS),
  full: inCompartment(resource, ONE, "full", OPTIONS),
  patients: patientsOf(resource, OPTIONS),
});

it("a resource that names many patients names each once, in order, and does not take the square of their number", () => {
  const named = (count: number) => Array.from({ length: count }, (_, at) => `p${at}`);
  const performers = (ids: readonly string[]) => ids.map((id) => ({ reference: `Patient/${id}` }));
  for (const count of [11, 12, 13, 30, 60_000]) {
    const ids = named(count);
    const resource = { resourceType: "Observation", id: "1", performer: performers([...ids, ...ids]) };
    expect(patientsOf(resource)).toEqual(ids);
  }
});

describe("a resource about one patient", () => {
  it.each([
    ["relative", ref("Patient/1")],
    ["a version", ref("Patient/1/_history/2")],
    ["absolute under our base", ref("https://fhir.example.org/fhir/Patient/1")],
    ["with its type", ref("Patient/1", { type: "Patient" })],
    ["with its type as a URL", ref("Patient/1", { type: "http://hl7.org/fhir/StructureDefinition/Patient" })],
    ["with an identifier besides", ref("Patient/1", { identifier: { value: "x" }, display: "Ann" })],
  ])("is a member: %s", (_, subject) => {
    expect(judge(observation(subject))).toEqual({ subject: true, full: true, patients: ["1"] });
  });

  it.each([
    ["another id", ref("Patient/2")],
    ["an id that begins alike", ref("Patient/11")],
    ["another case", ref("patient/1")],
    ["a blank behind", ref("Patient/1 ")],
    ["a dot segment", ref("./Patient/1")],
    ["a slash before", ref("/Patient/1")],
    ["percent-encoding", ref("Patient/%31")],
    ["an undecodable URL of ours", ref("https://fhir.example.org/fhir/../fhir/Patient/1")],
    ["another server's patient", ref("https://other.example.org/fhir/Patient/1")],
    ["a type that contradicts", ref("Patient/1", { type: "Practitioner" })],
    ["a type that is no text", ref("Patient/1", { type: ["Patient"] })],
    ["a reference that is a list", ref(["Patient/1"])],
    ["a reference that is an object", ref({ reference: "Patient/1" })],
    ["a subject that is text", "Patient/1"],
    ["a list inside a list", [[ref("Patient/1")]]],
    ["an identifier only", { identifier: { system: "mrn", value: "1" } }],
    ["an identifier of a patient", { type: "Patient", identifier: { value: "1" } }],
    ["a display only", { display: "Patient/1" }],
    ["a contained patient", ref("#1")],
    ["a urn", ref("urn:uuid:c757873d-ec9a-4326-a141-556f43239520")],
    ["a conditional reference", ref("Patient?_id=1")],
    ["a group", ref("Group/1")],
    ["another type of the same id", ref("Device/1")],
    ["null", null],
    ["nothing", undefined],
    ["a prototype", Object.create({ reference: "Patient/1" })],
  ])("is no member: %s", (_, subject) => {
    expect(inCompartment(observation(subject), ONE, "subject", OPTIONS)).toBe(false);
    expect(inCompartment(observation(subject), ONE, "full", OPTIONS)).toBe(false);
  });

  it.each(["", "..", "Patient/1", " 1", "1\n"])("A5: %j is no patient's id, and no member's", (id) => {
    for (const rule of ["subject", "full"] as const) {
      expect(inCompartment({ resourceType: "Patient", id }, { type: "Patient", id }, rule)).toBe(false);
      expect(inCompartment(observation(ref(`Patient/${id}`)), { type: "Patient", id }, rule)).toBe(false);
    }
  });

  it("an inherited subject or type counts for nothing", () => {
    expect(inCompartment(Object.create(observation(ref("Patient/1"))), ONE, "full")).toBe(false);
    const inherited = Object.assign(Object.create({ subject: ref("Patient/1") }) as object, {
      resourceType: "Observation",
    });
    expect(judge(inherited)).toEqual({ subject: false, full: false, patients: [] });
  });

  it.each([
    null,
    undefined,
    "Patient",
    1,
    [],
    [observation(ref("Patient/1"))],
    {},
    { resourceType: "patient", id: "1" },
  ])("%j is no resource", (value) => {
    expect(judge(value)).toEqual({ subject: false, full: false, patients: [] });
  });
});

describe("the two rules (standards 3.8)", () => {
  it("A performer, recorder, asserter or payer draws a record in only under the full definition", () => {
    const rows: readonly [string, string, object][] = [
      ["Observation", "subject", { performer: [ref("Patient/1")] }],
      ["AllergyIntolerance", "patient", { recorder: ref("Patient/1") }],
      ["Condition", "subject", { asserter: ref("Patient/1") }],
      ["Coverage", "beneficiary", { payor: [ref("Patient/1")], policyHolder: ref("Patient/1") }],
      ["Procedure", "subject", { performer: [{ actor: ref("Patient/1") }] }],
      ["Communication", "subject", { recipient: [ref("Patient/1")], sender: ref("Patient/1") }],
      ["List", "subject", { source: ref("Patient/1") }],
    ];
    for (const [resourceType, element, more] of rows) {
      const resource = { resourceType, [element]: ref("Patient/2"), ...more };
      expect(judge(resource), resourceType).toMatchObject({ subject: false, full: true });
      expect(new Set(patientsOf(resource)), resourceType).toEqual(new Set(["1", "2"]));
      const own = { resourceType, [element]: ref("Patient/1"), ...more };
      expect(judge(own), resourceType).toEqual({ subject: true, full: true, patients: ["1"] });
    }
  });

  it.each([
    ["Account", (patients: unknown[]) => ({ resourceType: "Account", subject: patients })],
    [
      "Appointment",
      (patients: unknown[]) => ({ resourceType: "Appointment", participant: patients.map((actor) => ({ actor })) }),
    ],
    ["Group", (patients: unknown[]) => ({ resourceType: "Group", member: patients.map((entity) => ({ entity })) })],
    ["Schedule", (patients: unknown[]) => ({ resourceType: "Schedule", actor: patients })],
    ["Provenance", (patients: unknown[]) => ({ resourceType: "Provenance", target: patients })],
    [
      "AuditEvent",
      (patients: unknown[]) => ({ resourceType: "AuditEvent", entity: patients.map((what) => ({ what })) }),
    ],
    ["Person", (patients: unknown[]) => ({ resourceType: "Person", link: patients.map((target) => ({ target })) })],
  ])("%s of several patients belongs to none of them alone", (_, build) => {
    const mine = ref("Patient/1");
    expect(judge(build([mine]))).toEqual({ subject: true, full: true, patients: ["1"] });
    expect(judge(build([mine, mine]))).toMatchObject({ subject: true });
    expect(judge(build([mine, ref("Patient/2")]))).toEqual({ subject: false, full: true, patients: ["1", "2"] });
    expect(judge(build([ref("Patient/2"), mine]))).toMatchObject({ subject: false, full: true });
    for (const doubt of [
      ref("Group/1"),
      ref("https://other.example.org/fhir/Patient/2"),
      ref("patient/2"),
      ref("urn:uuid:c757873d-ec9a-4326-a141-556f43239520"),
      ref("Patient/1", { type: "Device" }),
      { identifier: { value: "2" } },
      { type: "Patient", identifier: { value: "2" } },
      { type: "Patient", display: "someone" },
      [[mine]],
      "Patient/2",
      7,
    ]) {
      expect(judge(build([mine, doubt])), JSON.stringify(doubt)).toMatchObject({ subject: false, full: true });
    }
    for (const harmless of [
      ref("Practitioner/2"),
      ref("https://other.example.org/fhir/Practitioner/2"),
      { type: "Practitioner", identifier: { value: "2" } },
      { display: "Dr. Adam" },
      null,
    ]) {
      expect(judge(build([mine, harmless])), JSON.stringify(harmless)).toMatchObject({ subject: true, full: true });
    }
  });

  it("Encounter belongs by its subject, Task and Binary to nobody", () => {
    expect(judge({ resourceType: "Encounter", subject: ref("Patient/1") })).toMatchObject({
      subject: true,
      full: true,
    });
    expect(judge({ resourceType: "Task", for: ref("Patient/1") })).toEqual({
      subject: false,
      full: false,
      patients: [],
    });
    expect(judge({ resourceType: "Binary", securityContext: ref("Patient/1") }).patients).toEqual([]);
  });

  it("a Patient belongs to itself, and in full to the patient it links to", () => {
    const linked = { resourceType: "Patient", id: "2", link: [{ other: ref("Patient/1") }] };
    expect(judge({ resourceType: "Patient", id: "1" })).toEqual({ subject: true, full: true, patients: ["1"] });
    expect(judge(linked)).toEqual({ subject: false, full: true, patients: ["2", "1"] });
    expect(judge({ resourceType: "Patient", id: ["1"] })).toEqual({ subject: false, full: false, patients: [] });
    expect(judge({ resourceType: "Patient", id: "1", link: linked.link })).toMatchObject({ subject: true });
  });
});

describe("contained resources", () => {
  const holding = (contained: unknown) => observation(ref("Patient/1"), { contained });

  it.each([
    ["another patient's record", [observation(ref("Patient/2"))]],
    ["another patient deep inside", [{ resourceType: "Task", input: [{ valueReference: ref("Patient/2") }] }]],
    ["a Patient", [{ resourceType: "Patient", id: "1" }]],
    ["a Patient without a list around", { resourceType: "Patient" }],
    ["a foreign patient", [observation(ref("https://other.example.org/Patient/9"))]],
    ["another spelling", [observation(ref("PATIENT/2"))]],
    ["a patient's identifier", [observation({ type: "Patient", identifier: { value: "2" } })]],
    ["a list of references", [observation(ref(["Patient/2"]))]],
    ["contained in contained", [{ resourceType: "Basic", contained: [observation(ref("Patient/2"))] }]],
  ])("%s make it no member", (_, contained) => {
    expect(inCompartment(holding(contained), ONE, "subject", OPTIONS)).toBe(false);
  });

  it.each([
    ["nothing about patients", [{ resourceType: "Medication", code: { text: "patient/2" } }]],
    ["the same patient", [observation(ref("Patient/1"))]],
    ["a local reference", [observation(ref("#x"))]],
    ["null", null],
  ])("%s leave it a member", (_, contained) => {
    expect(inCompartment(holding(contained), ONE, "subject", OPTIONS)).toBe(true);
  });

  it("are named among the patients", () => {
    expect(
      patientsOf(holding([observation(ref("Patient/2")), { resourceType: "Task", for: ref("Patient/3") }])),
    ).toEqual(expect.arrayContaining(["1", "2", "3"]));
  });

  it("A15: are named among the patients of a record whose type R4 does not have, and make it nobody's", () => {
    const resource = { resourceType: "ActorDefinition", contained: [observation(ref("Patient/1"))] };
    expect(judge(resource)).toEqual({ subject: false, full: false, patients: ["1"] });
  });

  it("do not make a record a member by themselves", () => {
    const resource = observation(undefined, { contained: [observation(ref("Patient/1"))] });
    expect(judge(resource)).toEqual({ subject: false, full: false, patients: ["1"] });
  });

  it("survive any depth", () => {
    let deep: unknown = ref("Patient/2");
    for (let depth = 0; depth < 200_000; depth++) deep = depth % 2 === 0 ? [deep] : { x: deep };
    expect(inCompartment(holding(deep), ONE, "subject")).toBe(false);
    expect(judge({ resourceType: "Account", subject: deep })).toMatchObject({ subject: false, full: false });
    expect(patientsOf(holding(deep))).toEqual(["1", "2"]);
  });
});

describe("malformed elements still tell whose data they hold", () => {
  it.each([
    ["text", "Patient/2"],
    ["a list in a list", [[ref("Patient/2")]]],
    ["a contradicted type", ref("Patient/2", { type: "Device" })],
    ["a list of texts", ref(["Patient/2"])],
  ])("%s", (_, subject) => {
    expect(patientsOf(observation(subject))).toEqual(["2"]);
  });
});

describe("who is named, and who is not", () => {
  const appointment = (...actors: object[]) => ({
    resourceType: "Appointment",
    participant: actors.map((actor) => ({ actor })),
  });

  it("another patient who performed or asserted is no other subject", () => {
    const resource = observation(ref("Patient/1"), { performer: [ref("Patient/2")] });
    expect(judge(resource)).toEqual({ subject: true, full: true, patients: ["1", "2"] });
  });

  it("a record's own id is nobody's", () => {
    const resource = observation(ref("Patient/2"), { id: "1" });
    expect(judge(resource)).toEqual({ subject: false, full: false, patients: ["2"] });
  });

  it("a practitioner with the patient's id is not the patient", () => {
    const resource = observation(ref("Patient/2"), { performer: [ref("Practitioner/1")] });
    expect(judge(resource)).toEqual({ subject: false, full: false, patients: ["2"] });
  });

  it("a Patient whose id is no text is nobody", () => {
    expect(patientsOf({ resourceType: "Patient", id: 1 })).toEqual([]);
  });

  it("A5: a rule that is none makes nobody a member", () => {
    const rule = "both" as unknown as "full";
    expect(inCompartment(observation(ref("Patient/1")), ONE, rule)).toBe(false);
  });

  it("a compartment that is no patient's, or whose id is none, has no members", () => {
    const device = { type: "Device", id: "1" } as unknown as typeof ONE;
    expect(inCompartment(observation(ref("Patient/1")), device, "full")).toBe(false);
    const nobody = { type: "Patient", id: "a b" } as const;
    for (const rule of ["full", "subject"] as const) {
      expect(inCompartment({ resourceType: "Patient", id: "a b" }, nobody, rule)).toBe(false);
    }
  });

  it.each<[string, object, boolean]>([
    ["a place", ref("Location/1"), true],
    ["a contained place", ref("#place"), true],
    ["another server's place", ref("https://other.example.org/Location/ab"), true],
    ["a version of it", ref("https://other.example.org/Location/ab/_history/12"), true],
    ["what only begins like one", ref("https://other.example.org/Location/ab/more"), false],
    ["a version that is none", ref("https://other.example.org/Location/ab/_history/1 2"), false],
    ["a place by its type", { type: "Location", identifier: { value: "x" } }, true],
    ["something by a type that is none", { type: "Nonsense", identifier: { value: "x" } }, false],
    ["an identifier alone", { identifier: { value: "x" } }, false],
    ["a display alone", { display: "x" }, true],
    ["another patient", ref("Patient/2"), false],
    ["a group", ref("Group/1"), false],
  ])("A5: beside the patient, %s: the benefit of the doubt goes to the other", (_what, actor, expected) => {
    const resource = {
      ...appointment(ref("Patient/1"), actor),
      contained: [{ resourceType: "Location", id: "place" }],
    };
    expect(inCompartment(resource, ONE, "subject", OPTIONS)).toBe(expected);
  });
});
