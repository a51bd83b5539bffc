import { abuseMonitor } from "@wardline/abuse-monitor";
import express from "express";

export const monitor = abuseMonitor({
  responses: {
    "token-guessing": { action: "block", seconds: 900 },
    "patient-enumeration": { action: "step-up" },
    "bulk-access": { action: "slow-down", cost: 10 },
  },
  onAlert: (alert) => console.warn(alert.severity, alert.pattern, alert.whom.pseudonym),
});
export const app = express();
app.use(monitor);
// smartAuth() stands here: what follows knows who calls.
app.use(monitor.afterAuthentication);
app.get("/fhir/Patient/:id", (req, res) => void res.json({ resourceType: "Patient", id: req.params.id }));
