/**
 * Where a field stands. Bound to its ciphertext as additional data, so that a ciphertext moved elsewhere does not open.
 * The place is that of the resource as it leaves (after pseudonymised ids), because that is what a reader holds.
 */
export interface FieldPlace {
  /** Type of the outermost resource: of the Bundle's entry, or the container of something contained. */
  readonly resourceType: string;
  /** Id of that resource, as it leaves. */
  readonly id?: string;
  /**
   * Element names from that resource down: `Patient.name.family`, `Patient.contained.address`. Indexes are allowed and
   * ignored (`Patient.name[0].family`), because a rule may have removed earlier items.
   */
  readonly path: string;
}

/**
 * What stands in place of the value: the only content of the element. For a primitive (`birthDate`) the value goes and
 * `_birthDate` becomes this object; a complex element (`address[0]`) becomes this object itself.
 *
 * @see https://hl7.org/fhir/R4/extensibility.html
 */
export interface FieldCiphertext {
  readonly extension: readonly [
    { readonly url: typeof DATA_ABSENT_REASON; readonly valueCode: "masked" },
    { readonly url: typeof ENCRYPTED_FIELD; readonly valueString: string },
  ];
}

/** Encrypts fields while a resource is walked. */
export interface FieldCipher {
  /** Makes a data key ready. Await it before the walk; rejects with a `DependencyError` when no key can be had. */
  prepare(): Promise<void>;
  /**
   * Encrypts one JSON value, at once. Throws a `DependencyError` when no data key is ready.
   *
   * Does NOT remove the value from the resource: see `FieldCiphertext` for what the caller does.
   */
  encryptField(value: unknown, where: FieldPlace): FieldCiphertext;
}

/** @see https://hl7.org/fhir/R4/extension-data-absent-reason.html */
export const DATA_ABSENT_REASON = "http://hl7.org/fhir/StructureDefinition/data-absent-reason";
/** Ours: the field under a data key, and that key under its wrapping key. */
export const ENCRYPTED_FIELD = "urn:wardline:encrypted-field";
