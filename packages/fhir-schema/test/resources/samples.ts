/** Valid resources that use every shape of R4's JSON: primitives with and without extensions, choices, nesting, contained. */
export const PATIENT = {
  resourceType: "Patient",
  id: "p-1",
  meta: { versionId: "3", lastUpdated: "2024-02-29T23:59:60.5+14:00", profile: ["http://example.org/p|1"] },
  text: { status: "generated", div: '<div xmlns="http://www.w3.org/1999/xhtml"><p>A &amp; <b>B</b><br/></p></div>' },
  extension: [{ url: "http://example.org/e", valueQuantity: { value: 2.5, unit: "kg", comparator: ">=" } }],
  identifier: [{ use: "official", system: "urn:oid:1.2.3", value: "12" }],
  active: true,
  name: [
    {
      family: "Windsor",
      given: ["Ann", null, "Bea"],
      _given: [null, { extension: [{ url: "http://example.org/absent", valueCode: "masked" }] }, { id: "g3" }],
    },
  ],
  gender: "female",
  birthDate: "2000-02-29",
  _birthDate: { extension: [{ url: "http://example.org/time", valueDateTime: "2000-02-29T10:00:00Z" }] },
  deceasedBoolean: false,
  contact: [{ name: { family: "X" }, telecom: [{ system: "phone", value: "1", rank: 1 }] }],
  generalPractitioner: [{ reference: "Practitioner/7" }, { reference: "#o" }],
  contained: [{ resourceType: "Organization", id: "o", name: "Clinic" }],
} as const;

export const OBSERVATION = {
  resourceType: "Observation",
  id: "o-1",
  status: "final",
  code: { coding: [{ system: "http://loinc.org", code: "8310-5" }] },
  subject: { reference: "Patient/p-1" },
  effectiveDateTime: "2024-05",
  valueQuantity: { value: 37.2, unit: "Cel" },
  component: [{ code: { text: "x" }, valueString: "y", referenceRange: [{ text: "z" }] }],
} as const;

export const ALLERGY = {
  resourceType: "AllergyIntolerance",
  clinicalStatus: {
    coding: [{ system: "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", code: "active" }],
  },
  patient: { reference: "Patient/p-1" },
} as const;

export const BUNDLE = {
  resourceType: "Bundle",
  type: "transaction",
  entry: [
    {
      fullUrl: "urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a",
      resource: PATIENT,
      request: { method: "POST", url: "Patient" },
    },
    {
      resource: { ...OBSERVATION, subject: { reference: "Patient?identifier=urn:oid:1.2.3|12" } },
      request: { method: "POST", url: "Observation" },
    },
  ],
} as const;

export const PARAMETERS = {
  resourceType: "Parameters",
  parameter: [
    { name: "a", valueBoolean: true },
    { name: "b", resource: OBSERVATION },
    { name: "c", part: [{ name: "d", valueBase64Binary: "aGk=" }] },
  ],
} as const;

export const SAMPLES = [PATIENT, OBSERVATION, ALLERGY, BUNDLE, PARAMETERS] as const;
