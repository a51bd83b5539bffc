import { compartmentParameters, RESOURCE_TYPES } from "@wardline/fhir-r4";
import { describe, expect, it } from "vitest";

/** R4 4.0.1, CompartmentDefinition/patient. Edited copies move Encounter and add Task: this table must not change. */
const OFFICIAL: Readonly<Record<string, string>> = {
  subject:
    "Account AdverseEvent ChargeItem ClinicalImpression DeviceUseStatement DiagnosticReport EnrollmentRequest Media " +
    "MedicationRequest MedicationStatement RiskAssessment Specimen SupplyRequest",
  patient:
    "AuditEvent BodyStructure ClaimResponse Consent CoverageEligibilityRequest CoverageEligibilityResponse " +
    "DetectedIssue Encounter EpisodeOfCare FamilyMemberHistory Flag Goal ImagingStudy Immunization " +
    "ImmunizationEvaluation ImmunizationRecommendation MeasureReport MolecularSequence NutritionOrder Person " +
    "Provenance RelatedPerson SupplyDelivery VisionPrescription",
  "patient recorder asserter": "AllergyIntolerance",
  actor: "Appointment AppointmentResponse Schedule",
  "patient author": "Basic",
  "patient performer": "CarePlan Procedure",
  "patient participant": "CareTeam",
  "patient payee": "Claim ExplanationOfBenefit",
  "subject sender recipient": "Communication",
  "subject sender recipient requester": "CommunicationRequest",
  "subject author attester": "Composition",
  "patient asserter": "Condition",
  "policy-holder subscriber beneficiary payor": "Coverage",
  "subject performer": "DeviceRequest Observation ServiceRequest",
  "subject author recipient": "DocumentManifest",
  "subject author": "DocumentReference QuestionnaireResponse",
  member: "Group",
  "subject patient recipient": "Invoice",
  "subject source": "List",
  "patient performer subject": "MedicationAdministration",
  "subject patient receiver": "MedicationDispense",
  "subject participant": "RequestGroup",
  individual: "ResearchSubject",
};

const expected = new Map(
  Object.entries(OFFICIAL).flatMap(([codes, types]) =>
    types.split(" ").map((type) => [type, codes.split(" ")] as const),
  ),
);

/** The types whose subject-like parameters are fewer than all. */
const NARROWED: Readonly<Record<string, readonly string[]>> = {
  AllergyIntolerance: ["patient"],
  Basic: ["patient"],
  CarePlan: ["patient"],
  CareTeam: ["patient"],
  Claim: ["patient"],
  Communication: ["subject"],
  CommunicationRequest: ["subject"],
  Composition: ["subject"],
  Condition: ["patient"],
  Coverage: ["beneficiary"],
  DeviceRequest: ["subject"],
  DocumentManifest: ["subject"],
  DocumentReference: ["subject"],
  ExplanationOfBenefit: ["patient"],
  Invoice: ["subject", "patient"],
  List: ["subject"],
  MedicationAdministration: ["patient", "subject"],
  MedicationDispense: ["subject", "patient"],
  Observation: ["subject"],
  Procedure: ["patient"],
  QuestionnaireResponse: ["subject"],
  RequestGroup: ["subject"],
  ServiceRequest: ["subject"],
};

describe("the Patient compartment of 4.0.1", () => {
  it("has 66 types besides nothing but their official parameters, and Patient itself by identity", () => {
    expect(expected.size).toBe(65);
    for (const type of RESOURCE_TYPES) {
      const codes = type === "Patient" ? ["_id"] : (expected.get(type) ?? []);
      expect(compartmentParameters(type, "full"), type).toEqual(codes);
    }
  });

  it("narrows to the parameters that say whom a record is about", () => {
    for (const type of RESOURCE_TYPES) {
      const codes = type === "Patient" ? ["_id"] : (NARROWED[type] ?? expected.get(type) ?? []);
      expect(compartmentParameters(type, "subject"), type).toEqual(codes);
    }
  });

  it.each(["Task", "Binary", "Bundle", "Medication", "GuidanceResponse", "patient", "__proto__", "*"])(
    "leaves %s out",
    (type) => {
      expect(compartmentParameters(type, "full")).toEqual([]);
      expect(compartmentParameters(type, "subject")).toEqual([]);
    },
  );
});
