/** The parts of R4's AuditEvent this package writes. @see https://hl7.org/fhir/R4/auditevent.html */
export interface AuditEvent {
  readonly resourceType: "AuditEvent";
  readonly id: string;
  readonly meta?: { readonly profile: readonly string[] };
  readonly contained?: readonly object[];
  readonly type: Coding;
  readonly subtype?: readonly Coding[];
  readonly action: "C" | "R" | "U" | "D" | "E";
  readonly purposeOfEvent?: readonly CodeableConcept[];
  readonly period?: { readonly start: string; readonly end: string };
  readonly recorded: string;
  readonly outcome: "0" | "4" | "8" | "12";
  readonly outcomeDesc?: string;
  readonly agent: readonly AuditAgent[];
  readonly source: {
    readonly site?: string;
    readonly observer: Reference;
    readonly type: readonly Coding[];
  };
  readonly entity: readonly AuditEntity[];
}

export interface AuditAgent {
  readonly type: CodeableConcept;
  readonly role?: readonly CodeableConcept[];
  readonly who: Reference;
  readonly altId?: string;
  readonly requestor: boolean;
  readonly policy?: readonly string[];
  readonly network?: { readonly address: string; readonly type: "1" | "2" | "5" };
  readonly purposeOfUse?: readonly CodeableConcept[];
}

export interface AuditEntity {
  readonly what?: Reference;
  readonly type: Coding;
  readonly role?: Coding;
  readonly name?: string;
  readonly description?: string;
  readonly query?: string;
  readonly detail?: readonly { readonly type: string; readonly valueString: string }[];
}

export interface Coding {
  readonly system: string;
  readonly code: string;
  readonly display?: string;
}

export interface CodeableConcept {
  readonly coding?: readonly Coding[];
  readonly text?: string;
}

export interface Reference {
  readonly reference?: string;
  readonly type?: string;
  readonly identifier?: { readonly system?: string; readonly value: string };
  readonly display?: string;
}
