import type { Principal } from "@wardline/policy-types";

/** Who is calling, with the further facts that conditions may ask for. */
export interface Caller extends Principal {
  /** By the names of `claims.attributes`. */
  readonly attributes?: Readonly<Record<string, readonly string[]>>;
}
