import { apiDocuments, apiInventory, type InventoryEntry } from "@wardline/api-inventory";
import express from "express";

const entries: InventoryEntry[] = [
  { id: "fhir", path: "/fhir", zone: "patient", apiType: "patient-access", owner: "interop", interactions: ["read"] },
  { id: "slots", path: "/slots/:id", zone: "internal", apiType: "clinical", owner: "scheduling", methods: ["GET"] },
];
const inventory = apiInventory({ entries });

const app = express();
app.use(apiDocuments({ entries, title: "Example Hospital", version: "1.0" }), inventory);
app.get("/fhir/Patient/:id", (req, res) => void res.json({ resourceType: "Patient", id: req.params.id }));
app.get("/debug", (_req, res) => void res.json({ nobody: "declared this" }));
inventory.lookInto(app);
process.once("SIGUSR2", () => process.stdout.write(`${JSON.stringify(inventory.report().findings)}\n`));
app.listen(process.env["PORT"] ?? 3000);
