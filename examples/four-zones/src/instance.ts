import { createGateway, type GatewayEvent } from "@wardline/gateway";
import type { AccessRecord, PolicySource } from "@wardline/policy-types";

/** FHIR bases by zone, at this machine's address. */
export type Bases = Readonly<Record<"patient" | "staff" | "partner" | "device", string>>;

export interface Instance {
  readonly bases: Bases;
  close(): Promise<void>;
}

export interface InstanceOptions {
  readonly onRecord?: (record: AccessRecord) => void;
  readonly onEvent?: (event: GatewayEvent) => void;
}

/** One process's share of the edge: every door of the policy. */
export async function startInstance(policy: PolicySource, options: InstanceOptions): Promise<Instance> {
  const gateway = await createGateway(policy, { drainMs: 1000, ...options });
  const { url, listeners } = await gateway.listen();
  const at = (door: string): string => listeners[door]?.url ?? "";
  return {
    bases: {
      patient: `${url}/patient`,
      staff: `${at("staff")}/staff`,
      partner: `${at("partners")}/partner`,
      device: `${at("devices")}/device`,
    },
    close: () => gateway.close(),
  };
}
