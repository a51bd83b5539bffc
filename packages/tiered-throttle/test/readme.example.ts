import { doorThrottle, tieredThrottle } from "@wardline/tiered-throttle";
import express from "express";

export const app = express();
app.use(doorThrottle({ limit: 600, windowSeconds: 60 }));
// smartAuth() stands here: the windows below charge whom it found.
app.use(
  tieredThrottle({
    windows: [
      { name: "burst", limit: 100, windowSeconds: 60, by: "user" },
      { name: "daily", limit: 20_000, windowSeconds: 86_400, by: "client" },
    ],
    concurrency: 20,
  }),
);
app.get("/fhir/Patient/:id", (req, res) => void res.json({ resourceType: "Patient", id: req.params.id }));
