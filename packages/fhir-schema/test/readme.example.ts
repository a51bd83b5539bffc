import { fhirSchema } from "@wardline/fhir-schema";
import express from "express";

export const app = express();
app.use("/fhir", fhirSchema({ types: ["Patient", "Observation"], extraParameters: ["birthsex"] }));
app.get("/fhir/Patient", (_req, res) => void res.json({ resourceType: "Bundle", type: "searchset" }));
app.post("/fhir/Patient", (req, res) => void res.status(201).json(req.body));
