import { auditEvent } from "@wardline/audit-event";
import express from "express";

const audit = auditEvent({ ledger: "./audit", source: { observer: "edge-1", address: "https://fhir.example.org" } });

const app = express();
app.use(audit);
app.get("/Patient/:id", (req, res) => void res.json({ resourceType: "Patient", id: req.params.id }));

await audit.ready();
const server = app.listen(process.env["PORT"] ?? 3000);
process.once("SIGTERM", () => server.close(() => void audit.close()));
