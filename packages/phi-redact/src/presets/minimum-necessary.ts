import { defineProfile, type RedactionProfile, type RedactionRule } from "../profile/rules.ts";

const remove = (paths: string): readonly RedactionRule[] =>
  paths.split(" ").map((path) => ({ path, action: "remove" as const }));

const under = (type: string, elements: string): readonly string[] =>
  elements.split(" ").map((name) => `${type}.${name}`);

/** What describes the server rather than anybody's health. */
const CONFORMANCE =
  "CapabilityStatement StructureDefinition SearchParameter OperationDefinition CompartmentDefinition ImplementationGuide ValueSet CodeSystem ConceptMap NamingSystem".split(
    " ",
  );
/** Says where to log in. @see https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html */
const OAUTH_URIS: RedactionRule = { path: "CapabilityStatement.rest.security.extension", action: "keep" };

/**
 * For a use nobody has described more closely: the clinical record without free text, attachments, pictures, relatives'
 * details and whole identifiers.
 *
 * @see 45 CFR 164.502(b), 164.514(d)
 */
export const MINIMUM_NECESSARY: RedactionProfile = defineProfile({
  name: "minimum-necessary",
  rules: [
    OAUTH_URIS,
    ...remove("Annotation Attachment base64Binary Patient.photo Practitioner.photo Person.photo RelatedPerson.photo"),
    ...remove(
      "Patient.contact Patient.maritalStatus Patient.multipleBirth[x] Patient.address.line Patient.address.text",
    ),
    ...remove(
      "Practitioner.birthDate Practitioner.address RelatedPerson.address RelatedPerson.birthDate Person.address",
    ),
    ...remove("HumanName.text Address.text CodeableConcept.text Dosage.text Account.name Account.description"),
    { path: "Patient.identifier.value", action: { mask: { last: 4 } } },
    { path: "RelatedPerson.identifier.value", action: { mask: { last: 4 } } },
    { path: "Person.identifier.value", action: { mask: { last: 4 } } },
  ],
});

/** Who comes when, and how to reach them; not why. */
export const SCHEDULING: RedactionProfile = defineProfile({
  name: "minimum-necessary/scheduling",
  only: [
    ...CONFORMANCE,
    ...under("Patient", "active name telecom birthDate gender communication"),
    ...under(
      "Appointment",
      "status cancelationReason serviceCategory serviceType appointmentType start end minutesDuration",
    ),
    ...under("Appointment", "slot created participant requestedPeriod"),
    ...under("AppointmentResponse", "appointment start end participantType actor participantStatus"),
    "Schedule",
    "Slot",
    "Location",
    "HealthcareService",
    ...under("Practitioner", "active name"),
    ...under(
      "PractitionerRole",
      "active practitioner organization code specialty location healthcareService availableTime notAvailable",
    ),
    ...under("Organization", "active name telecom address"),
  ],
  rules: [OAUTH_URIS, ...remove("Slot.comment Schedule.comment HumanName.text")],
});

/** What was done, for whom, and who pays; not the findings. */
export const BILLING: RedactionProfile = defineProfile({
  name: "minimum-necessary/billing",
  only: [
    ...CONFORMANCE,
    ...under("Patient", "identifier active name birthDate gender address"),
    "Account",
    "ChargeItem",
    "ChargeItemDefinition",
    "Claim",
    "ClaimResponse",
    "Coverage",
    "CoverageEligibilityRequest",
    "CoverageEligibilityResponse",
    "EnrollmentRequest",
    "EnrollmentResponse",
    "ExplanationOfBenefit",
    "InsurancePlan",
    "Invoice",
    "PaymentNotice",
    "PaymentReconciliation",
    ...under("Encounter", "identifier status class type subject period serviceProvider"),
    ...under("Practitioner", "identifier active name"),
    ...under("PractitionerRole", "active practitioner organization specialty"),
    ...under("Organization", "identifier active name telecom address"),
  ],
  rules: [
    OAUTH_URIS,
    ...remove(
      "Annotation Attachment CodeableConcept.text HumanName.text Account.name Account.description ExplanationOfBenefit.processNote Claim.supportingInfo.value[x]",
    ),
  ],
});

/** What devices send; nothing about people but which one, as a reference. */
export const TELEMETRY: RedactionProfile = defineProfile({
  name: "minimum-necessary/telemetry",
  only: [
    ...CONFORMANCE,
    ...under(
      "Observation",
      "status category code subject.reference device effective[x] issued value[x] dataAbsentReason",
    ),
    ...under("Observation", "interpretation referenceRange component method"),
    ...under("Device", "status manufacturer modelNumber deviceName type version property"),
    "DeviceMetric",
    ...under("DeviceUseStatement", "status subject.reference device timing[x]"),
  ],
  rules: [
    OAUTH_URIS,
    ...remove(
      "Observation.valueString Observation.component.valueString Observation.referenceRange.text DeviceMetric.identifier",
    ),
  ],
});

/** Who practises where: what a provider directory shows to anybody. @see 42 CFR 422.120 */
export const DIRECTORY: RedactionProfile = defineProfile({
  name: "minimum-necessary/directory",
  only: [
    ...CONFORMANCE,
    ...under("Practitioner", "identifier active name telecom qualification communication"),
    "PractitionerRole",
    "Organization",
    "OrganizationAffiliation",
    "Location",
    "HealthcareService",
    "Endpoint",
    "InsurancePlan",
  ],
  rules: [OAUTH_URIS, { path: "Reference.display", action: "keep" }],
});
