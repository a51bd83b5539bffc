// The service with Wardline before its FHIR routes. Between the marks is all that was added.
const express = require("express");
const { router } = require("./routes.cjs");
const { observations, patients } = require("./store.cjs");
// + added
const { auditEvent } = require("@wardline/audit-event");
const { phiRedact } = require("@wardline/phi-redact");
const { smartAuth } = require("@wardline/smart-auth");

const { ISSUER = "https://id.example.org", BASE_URL = "https://fhir.example.org/fhir" } = process.env;
const audit = auditEvent({
  ledger: process.env.AUDIT_FOLDER ?? "var/audit",
  source: { observer: "records-service", address: BASE_URL },
});
const auth = smartAuth({
  baseUrl: BASE_URL,
  issuers: [{ issuer: ISSUER, audience: [BASE_URL] }],
  interactions: ["read", "search-type", "create"],
  types: ["Patient", "Observation"],
  development: process.env.DEVELOPMENT === "true",
});
const redact = phiRedact({ profile: "minimum-necessary", baseUrls: [BASE_URL] });
// - added

const app = express();
app.disable("x-powered-by");

app.get("/health", (_req, res) => res.json({ ok: true }));
// + added
app.use("/fhir", audit, auth, redact);
// - added
app.use("/fhir", router);
app.get("/report", (_req, res) => res.json({ patients: patients.size, observations: observations.size }));

const server = app.listen(Number(process.env.PORT ?? 3000), "127.0.0.1", () => {
  console.log(`records service on http://127.0.0.1:${server.address().port}`);
});

process.once("SIGTERM", () => server.close());
// + added
process.once("SIGTERM", () => server.once("close", () => void audit.close()));
// - added
