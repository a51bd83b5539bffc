import { smartAuth } from "@wardline/smart-auth";
import express from "express";

const app = express();
app.use(
  "/fhir",
  smartAuth({
    issuers: [{ issuer: "https://auth.example.org", audience: ["https://fhir.example.org/fhir"] }],
    baseUrl: "https://fhir.example.org/fhir",
  }),
);
app.get("/fhir/Patient/:id", (req, res) => void res.json({ resourceType: "Patient", id: req.params.id }));

export const server = app.listen(process.env["PORT"] ?? 3000);
