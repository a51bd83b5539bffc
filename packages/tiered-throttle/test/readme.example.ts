import { doorThrottle, tieredThrottle } from "@wardline/tiered-throttle";
import express from "express";

export const app = express();
app.use(doorThrottle({ limit: 600, windowSeconds: 60, failures: { limit: 20, windowSeconds: 300 } }));
// smartAuth() stands here: the tiers below ask whom it found and what is asked.
app.use(
  tieredThrottle({
    tiers: [
      {
        name: "contract",
        when: { zone: "partner" },
        windows: [{ name: "burst", limit: 300, windowSeconds: 60, by: "client" }],
        quotas: [{ name: "monthly", limit: 500_000, per: "month", timeZone: "America/New_York", carry: 50_000 }],
        costs: { expensive: 5, bulk: 50 },
      },
      { name: "rest", windows: [{ name: "burst", limit: 100, windowSeconds: 60, by: "user" }], concurrency: 20 },
    ],
    // Several processes: redis: (...args) => client.sendCommand(args), expectedReplicas: 3,
  }),
);
app.get("/fhir/Patient/:id", (req, res) => void res.json({ resourceType: "Patient", id: req.params.id }));
