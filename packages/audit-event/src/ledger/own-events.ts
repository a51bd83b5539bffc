/** What a ledger records about itself, as AuditEvents like the rest: whoever reads the log meets them in their place. */
export type OwnEvent =
  /** Opening found an unfinished last line, which was never acknowledged, and put it aside. */
  | { readonly kind: "recovered"; readonly bytes: number }
  /** People have let everything from a hole in the last file on be put aside. */
  | { readonly kind: "hole-put-aside"; readonly bytes: number }
  /** A write failed; what it may have left was cut off. `inDoubt`: events whose requests were told so. */
  | {
      readonly kind: "healed";
      readonly because: string;
      readonly since: string;
      readonly inDoubt: number;
      readonly bytes: number;
    }
  | { readonly kind: "clock-went-back"; readonly from: string; readonly to: string }
  | { readonly kind: "expired"; readonly entries: number; readonly files: number };

/** Renders one. Holds no PHI. DICOM has no code for the clock; the nearest that alerts is taken, and says so in words. */
export function renderOwnEvent(instance: string, recorded: string, event: OwnEvent): object {
  const { subtype, action, type, outcome, outcomeDesc } = SHAPES[event.kind];
  const { kind, ...facts } = event;
  const name = `ledger ${instance}`;
  return {
    resourceType: "AuditEvent",
    type,
    ...(subtype === undefined ? {} : { subtype: [subtype] }),
    action,
    recorded,
    outcome,
    outcomeDesc,
    agent: [{ type: { coding: [APPLICATION] }, who: { display: name }, requestor: false }],
    source: { observer: { display: name } },
    entity: [
      {
        type: SYSTEM_OBJECT,
        name: kind,
        detail: Object.entries(facts).map(([fact, value]) => ({ type: fact, valueString: String(value) })),
      },
    ],
  };
}

interface Shape {
  readonly type: object;
  readonly subtype?: object;
  readonly action: "D" | "E";
  readonly outcome: "0" | "4" | "8";
  readonly outcomeDesc: string;
}

const DCM = "http://dicom.nema.org/resources/ontology/DCM";
const SECURITY_ALERT = { system: DCM, code: "110113", display: "Security Alert" };
const STARTED = { system: DCM, code: "110134", display: "Audit Recording Started" };
const APPLICATION = { system: DCM, code: "110150", display: "Application" };
const SYSTEM_OBJECT = {
  system: "http://terminology.hl7.org/CodeSystem/audit-entity-type",
  code: "2",
  display: "System Object",
};

const SHAPES: Readonly<Record<OwnEvent["kind"], Shape>> = {
  recovered: {
    type: SECURITY_ALERT,
    subtype: STARTED,
    action: "E",
    outcome: "4",
    outcomeDesc: "an unfinished last record, never acknowledged, was put aside at the start",
  },
  "hole-put-aside": {
    type: SECURITY_ALERT,
    subtype: STARTED,
    action: "E",
    outcome: "8",
    outcomeDesc:
      "the last file had zeros in its middle; everything from there on was put aside by order of the operator",
  },
  healed: {
    type: SECURITY_ALERT,
    subtype: STARTED,
    action: "E",
    outcome: "8",
    outcomeDesc: "recording had stopped because a write failed; the records in doubt were cut off",
  },
  "clock-went-back": {
    type: SECURITY_ALERT,
    action: "E",
    outcome: "4",
    outcomeDesc: "the clock went back: recorded times overlap from here",
  },
  expired: {
    type: { system: DCM, code: "110101", display: "Audit Log Used" },
    action: "D",
    outcome: "0",
    outcomeDesc: "files whose retention has ended were removed; their checkpoint is kept",
  },
};
