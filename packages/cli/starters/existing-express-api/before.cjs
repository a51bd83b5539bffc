// The service as it was: a health check, an internal report, FHIR routes.
const express = require("express");
const { router } = require("./routes.cjs");
const { observations, patients } = require("./store.cjs");

const app = express();
app.disable("x-powered-by");

app.get("/health", (_req, res) => res.json({ ok: true }));
app.use("/fhir", router);
app.get("/report", (_req, res) => res.json({ patients: patients.size, observations: observations.size }));

const server = app.listen(Number(process.env.PORT ?? 3000), "127.0.0.1", () => {
  console.log(`records service on http://127.0.0.1:${server.address().port}`);
});

process.once("SIGTERM", () => server.close());
