import http = require("node:http");
import express = require("express");
import gateway = require("@wardline/gateway");
import pipeline = require("@wardline/policy-types/express");
import redact = require("@wardline/phi-redact");
import auth = require("@wardline/smart-auth");
import support = require("./support.cjs");

const baseUrl = "http://127.0.0.1/fhir";

async function main(): Promise<void> {
  const issuer = await support.startIssuer(baseUrl);
  const app = express();
  const issuers = [{ issuer: issuer.url, jwksUri: `${issuer.url}/jwks`, audience: [baseUrl] }];
  app.use("/fhir", auth.smartAuth({ baseUrl, issuers, development: true }));
  app.use("/fhir", redact.phiRedact({ profile: "full" }));
  app.use("/fhir", pipeline.requireControls(["smart-auth", "phi-redact"]));
  app.get("/fhir/Patient/:id", (req, res) => {
    res.type("application/fhir+json").send(JSON.stringify({ resourceType: "Patient", id: req.params.id }));
  });

  const server = http.createServer(app);
  await support.proveGuarded(await support.listen(server), issuer.token());
  server.closeAllConnections();
  server.close();
  issuer.close();

  let refused = false;
  try {
    gateway.checkPolicy({});
  } catch {
    refused = true;
  }
  if (!refused) throw new Error("gateway accepted an empty policy");
  console.log("ok");
}

void main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
