import { askPort, listenOnPort } from "@wardline-tools/test-kit";
import express from "express";
import { expect, it } from "vitest";
import { perimeter } from "../../src/index.ts";

// A pattern that can read such a text in many ways would not come to an end within this test's time.
it.each([
  ["Content-Type", `a/b;${' ;a="";'.repeat(1000)}(`],
  ["Content-Type", `a/b${";".repeat(4000)}(`],
  ["Accept-Encoding", `2;Q=0.00${",\t,*;Q=0.00".repeat(15)}=`],
])("a %s made to be read in many ways is refused at once", async (name, value) => {
  const app = express();
  app.use(perimeter({ development: true }));
  app.use((_req, res) => void res.json({}));
  const port = await listenOnPort(app);
  const headers = ["Host", "fhir.example.org", name, value, "Content-Length", "2"];
  const { status } = await askPort(port, { method: "POST", headers, body: "{}" });
  expect(status).toBe(400);
});
