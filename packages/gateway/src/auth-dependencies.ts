import type { ExportJobStore, SmartAuthOptions, SmartIssuer } from "@wardline/smart-auth";

/** What authentication needs and no policy may hold: secrets, and stores that several instances share. */
export interface AuthDependencies
  extends Pick<SmartAuthOptions, "replayStore" | "holderStore" | "revocation" | "userAccess" | "onBreakGlass"> {
  /** How to ask an issuer of the policy about a token, by its `issuer`. In place of what the policy says. */
  readonly introspection?: Readonly<Record<string, NonNullable<SmartIssuer["introspection"]>>>;
  /** Remembers export jobs for all instances. Default: in this process. */
  readonly exportJobs?: ExportJobStore;
}
