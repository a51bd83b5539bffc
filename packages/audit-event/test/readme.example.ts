import { auditEvent, openLedger } from "@wardline/audit-event";
import express from "express";

const ledger = await openLedger({ folder: "./audit" });
const source = { observer: "fhir-edge-1", address: "https://fhir.example.org" };

const app = express();
app.use(auditEvent({ ledger, source }));
app.get("/Patient/:id", (req, res) => void res.json({ resourceType: "Patient", id: req.params.id }));

const server = app.listen(process.env["PORT"] ?? 3000);
process.once("SIGTERM", () => server.close(() => void ledger.close()));
