import type { PolicySource } from "@wardline/policy-types";

/** Where this run keeps what the policy keeps in `var`, and where its EHR and sign-in are. */
export interface Stage {
  readonly folder: string;
  readonly ehr: string;
  readonly issuer: string;
}

export interface Sibling {
  /** Its name among its siblings: `edge-1`. */
  readonly instance: string;
  /** 0: any that is free. */
  readonly port: number;
}

/**
 * The same policy in a folder and beside the servers of this run, so that several may run at once. Nothing that decides is
 * changed.
 */
export function rehearse(policy: PolicySource, { folder, ehr, issuer }: Stage): PolicySource {
  const text = JSON.stringify(policy, (_key, value: unknown) => {
    if (typeof value !== "string") return value;
    return value
      .replace(/^(file:)?var\//, (_all, scheme = "") => `${scheme}${folder}/`)
      .replace("http://127.0.0.1:8081", ehr)
      .replace("http://127.0.0.1:8082", issuer);
  });
  return JSON.parse(text) as PolicySource;
}

/** The same policy for one of two instances: a port, a name and a ledger of its own, and all else in common. */
export function asSibling(policy: PolicySource, { instance, port }: Sibling): PolicySource {
  return {
    ...policy,
    listen: { ...policy.listen, port },
    audit: { ...policy.audit, folder: `${policy.audit?.folder ?? ""}/${instance}`, instance },
  };
}
