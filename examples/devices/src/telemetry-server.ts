import express, { type Express } from "express";

export interface TelemetryServer {
  readonly app: Express;
  /** What has arrived. */
  readonly received: readonly { readonly resourceType: string }[];
}

const FHIR_JSON = "application/fhir+json";
const MOST_KEPT = 10_000;

/** Takes observations and knows no caller: servers behind an edge believe it. In production, your telemetry store. */
export function telemetryServer(): TelemetryServer {
  const received: { readonly resourceType: string }[] = [];
  const app = express();
  app.disable("x-powered-by").disable("etag");
  app.use(express.json({ type: [FHIR_JSON, "application/json"] }));
  app.post("/r4/:type", (req, res) => {
    const observation = req.body as { readonly resourceType: string };
    received.push(observation);
    if (received.length > MOST_KEPT) received.shift();
    const id = `new-${received.length}`;
    const created = { ...observation, id };
    res.status(201).location(`${req.protocol}://${req.get("host") ?? ""}/r4/Observation/${id}`);
    res.type(FHIR_JSON).send(JSON.stringify(created));
  });
  return { app, received };
}
