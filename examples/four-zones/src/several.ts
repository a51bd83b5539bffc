import type { PolicySource } from "@wardline/policy-types";

export interface Sibling {
  readonly redisUrl: string;
  /** Its name among its siblings: `edge-1`. */
  readonly instance: string;
  /** Where the keys that all share are, and each one's ledger. */
  readonly folder: string;
}

/** The same policy for one of two instances: counters and revocations in Redis, keys in common, a ledger each. */
export function asOneOfTwo(policy: PolicySource, { redisUrl, instance, folder }: Sibling): PolicySource {
  return {
    ...policy,
    redis: { url: redisUrl, prefix: "four-zones", replicas: 2 },
    abuse: { key: `file:${folder}/abuse.key` },
    pageLinks: { keys: [`file:${folder}/links.key`] },
    audit: { ...policy.audit, folder: `${folder}/audit-${instance}`, instance },
  };
}
