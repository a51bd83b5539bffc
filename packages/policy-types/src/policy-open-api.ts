/**
 * A route that is not FHIR: what may be asked and answered is what an OpenAPI document says. It knows no patient, scope or
 * compartment, and its answers are not redacted: who has one of the roles sees all of it.
 */
export interface OpenApiPolicy {
  /** File of the document: OpenAPI 3.0 or 3.1, YAML or JSON. Its paths are those below the route's. */
  readonly file: string;
  /** The caller must have one of these. */
  readonly roles: readonly string[];
  /** How the caller signed in, one of these (`mfa`). Absent: in any way. */
  readonly amr?: readonly string[];
  /** What becomes of answers that are not as declared. Default `refuse`: 502. */
  readonly responses?: "refuse" | "report" | "off";
}
