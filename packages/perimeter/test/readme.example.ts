import { createServer } from "node:http";
import { clientErrorHandler, perimeter } from "@wardline/perimeter";
import express from "express";

const app = express();
app.use(perimeter({ trustedProxies: ["10.0.0.0/8"], publicPaths: [{ method: "GET", path: "/fhir/metadata" }] }));
app.get("/fhir/Patient/:id", (req, res) => void res.json({ resourceType: "Patient", id: req.params.id }));

export const server = createServer({ requireHostHeader: false }, app);
server.on("checkExpectation", app);
server.on("clientError", clientErrorHandler);
