// The service's FHIR routes. They answer everybody everything: whoever wrote them thought of one caller.
const { randomUUID } = require("node:crypto");
const express = require("express");
const { observations, patients } = require("./store.cjs");

const router = express.Router();

router.get("/Patient/:id", (req, res) => sendFound(res, patients.get(req.params.id)));

router.get("/Patient", (req, res) => {
  const { family, birthdate } = req.query;
  sendBundle(
    res,
    [...patients.values()].filter(
      (patient) =>
        (family === undefined || patient.name.some((name) => name.family === family)) &&
        (birthdate === undefined || patient.birthDate === birthdate),
    ),
  );
});

router.get("/Observation/:id", (req, res) => sendFound(res, observations.get(req.params.id)));

router.get("/Observation", (req, res) => {
  const patient = (req.query.patient ?? req.query.subject)?.replace(/^Patient\//, "");
  sendBundle(
    res,
    [...observations.values()].filter(
      ({ subject }) => patient === undefined || subject.reference === `Patient/${patient}`,
    ),
  );
});

router.post("/Observation", express.json({ type: ["application/fhir+json", "application/json"] }), (req, res) => {
  const observation = { ...req.body, id: randomUUID() };
  observations.set(observation.id, observation);
  res.status(201).location(`${req.baseUrl}/Observation/${observation.id}`);
  send(res, observation);
});

function sendFound(res, resource) {
  if (resource !== undefined) return send(res, resource);
  res.status(404);
  send(res, { resourceType: "OperationOutcome", issue: [{ severity: "error", code: "not-found" }] });
}

function sendBundle(res, resources) {
  send(res, {
    resourceType: "Bundle",
    type: "searchset",
    total: resources.length,
    entry: resources.map((resource) => ({ resource, search: { mode: "match" } })),
  });
}

function send(res, resource) {
  res.type("application/fhir+json").send(JSON.stringify(resource));
}

module.exports = { router };
