/** Who writes the events down: this edge. */
export interface AuditSource {
  /** Name of this edge or instance: `fhir-edge-1`. */
  readonly observer: string;
  /** The facility or site it stands in. */
  readonly site?: string;
  /**
   * Where clients reach it: a URL (`https://fhir.example.org/fhir`) or a host name. Without it no event can claim a BALP
   * profile, which all ask for the server's network address.
   */
  readonly address?: string;
}
