import { mkdtemp, rm } from "node:fs/promises";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { abuseMonitor } from "@wardline/abuse-monitor";
import { apiInventory } from "@wardline/api-inventory";
import { auditEvent, openLedger, verifyLedger } from "@wardline/audit-event";
import { parseInteraction } from "@wardline/fhir-r4";
import { fhirSchema } from "@wardline/fhir-schema";
import { type CheckedPolicy, checkPolicy } from "@wardline/gateway";
import { perimeter } from "@wardline/perimeter";
import { phiRedact } from "@wardline/phi-redact";
import { definePolicy } from "@wardline/policy-types";
import { requireControls } from "@wardline/policy-types/express";
import { smartAuth } from "@wardline/smart-auth";
import { doorThrottle, tieredThrottle } from "@wardline/tiered-throttle";
import express from "express";
import { listen, proveGuarded, startIssuer } from "./support.cjs";

const baseUrl = "http://127.0.0.1/fhir";
const issuer = await startIssuer(baseUrl);
const folder = await mkdtemp(join(tmpdir(), "consumer-"));
const ledger = await openLedger({ folder });

const app = express();
app.use(auditEvent({ ledger, source: { observer: "consumer" } }));
app.use(apiInventory({ entries: [{ id: "r", path: "/fhir", zone: "patient", apiType: "x", interactions: ["read"] }] }));
app.use(perimeter({ development: true }));
const monitor = abuseMonitor();
app.use(monitor);
app.use(doorThrottle({ limit: 100, windowSeconds: 60 }));
app.use(
  "/fhir",
  smartAuth({
    baseUrl,
    development: true,
    issuers: [{ issuer: issuer.url, jwksUri: `${issuer.url}/jwks`, audience: [baseUrl] }],
  }),
);
app.use("/fhir", monitor.afterAuthentication);
app.use("/fhir", tieredThrottle({ windows: [{ name: "apps", limit: 100, windowSeconds: 60, by: "client" }] }));
app.use("/fhir", fhirSchema());
app.use("/fhir", phiRedact({ profile: "minimum-necessary" }));
app.use("/fhir", requireControls("patient"));
app.get("/fhir/Patient/:id", (req, res) => {
  res.json({ resourceType: "Patient", id: req.params.id });
});

const server = http.createServer(app);
await proveGuarded(await listen(server), issuer.token());
server.closeAllConnections();
server.close();
issuer.close();
await monitor.close();
await ledger.close();
// Four requests, and the security alert for the record that was not theirs.
const verdict = await verifyLedger(folder);
if (!verdict.ok || verdict.entries !== 5) throw new Error(`ledger: ${JSON.stringify(verdict)}`);
await rm(folder, { recursive: true });

if (parseInteraction({ method: "GET", path: "/Patient/a" }).code !== "read") throw new Error("fhir-r4");
const policy = definePolicy({
  wardline: 1,
  name: "consumer",
  publicOrigin: "https://fhir.example.org",
  issuers: [{ issuer: "https://id.example.org", audience: ["https://fhir.example.org/fhir"] }],
  upstreams: { ehr: { url: "https://ehr.example.org" } },
  tiers: { apps: { windows: [{ name: "apps", limit: 1, windowSeconds: 1, by: "client" }] } },
  routes: [
    {
      id: "r",
      path: "/fhir",
      zone: "patient",
      apiType: "patient-access",
      upstream: "ehr",
      interactions: ["read"],
      tier: "apps",
    },
  ],
  audit: { folder: "audit" },
});
const checked: CheckedPolicy = checkPolicy(policy);
if (checked.version.length !== 64) throw new Error("gateway");
console.log("ok");
