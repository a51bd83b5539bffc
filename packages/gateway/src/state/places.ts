import { type AbuseMonitorOptions, readPlaces } from "@wardline/abuse-monitor";
import type { PolicyDocument } from "@wardline/policy-types";
import { readText } from "./read.ts";

export interface Places {
  /** The file's content, to see whether it has changed. */
  readonly text: string;
  readonly locate: NonNullable<AbuseMonitorOptions["locate"]>;
}

/**
 * The file of `abuse.places`, read again with each new policy.
 *
 * @throws {ConfigurationError} when it cannot be read or holds what is no place
 */
export async function placesOf({ abuse }: PolicyDocument, before: Places | undefined): Promise<Places | undefined> {
  if (abuse === undefined || abuse === false || abuse.places === undefined) return undefined;
  const text = await readText(abuse.places, "abuse.places");
  return before?.text === text ? before : { text, locate: readPlaces(text) };
}
