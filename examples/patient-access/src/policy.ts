import { definePolicy, type PolicyDocument } from "@wardline/policy-types";

export interface PolicyOptions {
  /** `http://127.0.0.1:8080`. */
  readonly publicOrigin: string;
  readonly port: number;
  /** The FHIR server behind the gateway. */
  readonly backendUrl: string;
  readonly issuer: string;
  readonly auditFolder: string;
}

export const FHIR_PATH = "/fhir";

/** The whole edge in one place. What must change for production is said in the README. */
export function patientAccessPolicy(options: PolicyOptions): PolicyDocument {
  const { publicOrigin, port, backendUrl, issuer, auditFolder } = options;
  return definePolicy({
    wardline: 1,
    name: "patient-access-example",
    publicOrigin,
    development: true,
    listen: { host: "127.0.0.1", port },
    issuers: [
      {
        issuer,
        audience: [publicOrigin + FHIR_PATH],
        algorithms: ["ES256"],
        smart: {
          authorizationEndpoint: `${issuer}/auth`,
          tokenEndpoint: `${issuer}/token`,
          introspectionEndpoint: `${issuer}/token/introspection`,
          capabilities: [
            "launch-standalone",
            "client-public",
            "client-confidential-asymmetric",
            "context-standalone-patient",
            "permission-offline",
            "permission-patient",
            "permission-user",
            "permission-v1",
            "permission-v2",
          ],
        },
      },
    ],
    upstreams: { ehr: { url: backendUrl } },
    tiers: {
      // Low, so that it can be seen: 40 requests in ten seconds are plenty for a person and few for a loop.
      apps: { windows: [{ name: "app", limit: 40, windowSeconds: 10, by: "client" }], concurrency: 10 },
    },
    routes: [
      {
        id: "patient-access",
        path: FHIR_PATH,
        zone: "patient",
        apiType: "patient-access",
        upstream: "ehr",
        interactions: [
          "capabilities",
          "read",
          "vread",
          "history-instance",
          "search-type",
          "create",
          "update",
          "delete",
          "batch",
          "transaction",
        ],
        // The backend's own paging, which widens nothing.
        extraParameters: ["_offset"],
        tier: "apps",
      },
    ],
    audit: { folder: auditFolder },
  });
}
