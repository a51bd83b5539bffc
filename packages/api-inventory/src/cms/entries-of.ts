import type { AccessRecord, InteractionCode } from "@wardline/policy-types";
import type { DayOf } from "./calendar.ts";
import type { TrafficEntry, TransferEntry } from "./journal-entry.ts";
import type { Pseudonym } from "./pseudonym.ts";
import { bucketOf } from "./sketch.ts";

/** Interactions by which data of a patient go to an app. */
const DELIVERS: ReadonlySet<InteractionCode> = new Set([
  "read",
  "vread",
  "history-instance",
  "history-type",
  "history-system",
  "search-type",
  "search-system",
  "operation",
  "batch",
  "transaction",
]);

export interface Counting {
  readonly apiTypes: ReadonlySet<string>;
  readonly dayOf: DayOf;
  readonly pseudonym: Pseudonym;
}

/**
 * A transfer, as the Patient Access figures count it: a 2xx answer, sent whole, with data of a patient, to an app. The
 * unit is the patient, whatever app or token.
 *
 * @see 42 CFR 422.119(f)
 */
export function transfersOf(record: AccessRecord, { apiTypes, dayOf, pseudonym }: Counting): readonly TransferEntry[] {
  if (!isTransfer(record, apiTypes)) return [];
  const day = dayOf(record.receivedAt);
  // A batch names patients of whom it wrote only: nothing of theirs went to the app.
  return (record.delivered ?? record.patients).map((patient) => ({
    kind: "transfer",
    day,
    patient: pseudonym("patient", patient),
  }));
}

function isTransfer(record: AccessRecord, apiTypes: ReadonlySet<string>): boolean {
  const { apiType, method, outcome, status, completed, principal, interaction, responseBytes } = record;
  return (
    apiType !== undefined &&
    apiTypes.has(apiType) &&
    outcome === "permit" &&
    status >= 200 &&
    status < 300 &&
    completed &&
    // What was recorded before the answer went out does not know its size.
    method !== "HEAD" &&
    responseBytes !== 0 &&
    principal?.clientId !== undefined &&
    DELIVERS.has(interaction)
  );
}

export function trafficOf({
  status,
  completed,
  latencyMs,
}: AccessRecord): Omit<TrafficEntry, "kind" | "day" | "apiType"> {
  const failed = status >= 500 || !completed;
  const throttled = !failed && status === 429;
  return {
    requests: 1,
    serverErrors: failed ? 1 : 0,
    throttled: throttled ? 1 : 0,
    clientErrors: !failed && !throttled && status >= 400 ? 1 : 0,
    latencySumMs: latencyMs,
    latency: [[bucketOf(latencyMs), 1]],
  };
}

/** The API type under which a record is counted. */
export function apiTypeOf({ apiType }: Pick<AccessRecord, "apiType">): string {
  return apiType ?? "(undeclared)";
}
