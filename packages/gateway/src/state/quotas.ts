import { rename } from "node:fs/promises";
import { join } from "node:path";
import { DependencyError, type PolicyDocument } from "@wardline/policy-types";
import { openQuotaFile, type QuotaFile } from "@wardline/tiered-throttle";
import type { GatewayEvent } from "../events.ts";

export interface QuotaFacts {
  readonly policy: PolicyDocument;
  readonly now: () => number;
  readonly onEvent: (event: GatewayEvent) => void;
}

/**
 * What is used of contracts, over a restart: in Redis where the policy names one, else in a file beside the audit log, which
 * belongs to this process alone. A file that cannot be read is put aside and told: patients' care does not wait for a count.
 *
 * @throws a system error when the file can be neither read nor put aside
 */
export async function openQuotas({ policy, now, onEvent }: QuotaFacts): Promise<QuotaFile | undefined> {
  if (policy.redis !== undefined) return undefined;
  const file = join(policy.audit.folder, "quotas.json");
  const open = (): Promise<QuotaFile> => openQuotaFile({ file, now, onState: (error) => tell(error, onEvent) });
  try {
    return await open();
  } catch (error) {
    if (!(error instanceof DependencyError)) throw error;
    await rename(file, `${file}.unreadable`);
    const message = "what was used of quotas could not be read: they begin anew, and the file was put aside";
    onEvent({ level: "error", code: "gateway/quotas-unreadable", message, error });
    return open();
  }
}

function tell(error: unknown, onEvent: QuotaFacts["onEvent"]): void {
  onEvent(
    error === undefined
      ? { level: "info", code: "gateway/quotas-written", message: "what is used of quotas is written again" }
      : {
          level: "error",
          code: "gateway/quotas-unwritten",
          message: "what is used of quotas cannot be written: a restart would forget it",
          error,
        },
  );
}
