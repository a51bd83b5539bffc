import { defineProfile, phiRedact } from "@wardline/phi-redact";
import express from "express";

const reminders = defineProfile({
  name: "reminders",
  only: ["Patient.name", "Patient.telecom", "Appointment.start", "Appointment.participant"],
  rules: [{ path: "HumanName.family", action: "mask" }],
});

const app = express();
app.use(
  "/fhir",
  phiRedact({
    profiles: [{ when: { clients: ["reminder-app"] }, profile: reminders }],
    profile: "minimum-necessary",
    sensitive: [{ category: "substance-use", fate: "drop", unless: [{ purposes: ["TREAT"] }] }],
  }),
);
app.get("/fhir/Patient/:id", (req, res) => {
  res.json({
    resourceType: "Patient",
    id: req.params.id,
    photo: [{ url: "https://example.org/face.jpg" }],
    gender: "other",
  });
});
app.listen(process.env["PORT"] ?? 3000);
