import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AccessRecord } from "@wardline/policy-types";
import { Client } from "fhir-kit-client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PATIENT_APP } from "../src/apps.ts";
import { type Servers, startServers } from "../src/servers.ts";
import { discover, launch, systemToken } from "../src/smart-app.ts";
import { freePorts } from "./support.ts";

interface Bundle {
  readonly total?: number;
  readonly entry?: readonly { readonly resource: { readonly resourceType: string; readonly id: string } }[];
  readonly link?: readonly { readonly relation: string; readonly url: string }[];
}

let servers: Servers;
let auditFolder = "";
const records: AccessRecord[] = [];
beforeAll(async () => {
  auditFolder = await mkdtemp(join(tmpdir(), "patient-access-"));
  servers = await startServers({
    ports: await freePorts(),
    auditFolder,
    onRecord: (record) => records.push(record),
    onEvent: () => undefined,
  });
});
afterAll(async () => {
  await servers.close();
  await rm(auditFolder, { recursive: true, force: true });
});

describe("a SMART app through the gateway (fhir-kit-client)", () => {
  it("discovers, is authorised, reads and searches", async () => {
    const app = new Client({ baseUrl: servers.fhirBase });
    const { authorizeUrl, tokenUrl } = await app.smartAuthMetadata();
    expect([authorizeUrl?.href, tokenUrl?.href]).toEqual([`${servers.issuer}/auth`, `${servers.issuer}/token`]);

    const tokens = await launch(
      { authorization_endpoint: authorizeUrl?.href ?? "", token_endpoint: tokenUrl?.href ?? "" },
      {
        fhirBase: servers.fhirBase,
        app: PATIENT_APP,
        scope: "openid fhirUser launch/patient patient/*.rs",
        patient: "f001",
      },
    );
    app.bearerToken = tokens.access_token;
    const patient = await app.read({ resourceType: "Patient", id: tokens.patient ?? "" });
    expect(patient).toMatchObject({ resourceType: "Patient", id: "f001" });

    const found = (await app.search({
      resourceType: "Observation",
      searchParams: { _count: 2, _include: "Observation:performer" },
    })) as Bundle;
    const types = found.entry?.map(({ resource }) => resource.resourceType);
    expect(types).toEqual(["Observation", "Observation", "Practitioner"]);

    await expect(app.read({ resourceType: "Patient", id: "example" })).rejects.toMatchObject({
      response: { status: 404 },
    });
  });

  it("follows pages", async () => {
    const app = new Client({ baseUrl: servers.fhirBase, bearerToken: await tokenOf("f001") });
    const ids: string[] = [];
    let page = (await app.search({ resourceType: "Observation", searchParams: { _count: 2 } })) as Bundle | undefined;
    while (page !== undefined) {
      ids.push(...(page.entry ?? []).map(({ resource }) => resource.id));
      page = (await app.nextPage({ bundle: page as never })) as Bundle | undefined;
    }
    expect(ids).toEqual(["f001", "f002", "f003", "f004", "f005"]);
  });

  it("is held to a granular scope", async () => {
    const scope =
      "launch/patient patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|vital-signs";
    const app = new Client({ baseUrl: servers.fhirBase, bearerToken: await tokenOf("f201", scope) });
    const { entry = [] } = (await app.search({ resourceType: "Observation", searchParams: {} })) as Bundle;
    expect(entry.map(({ resource }) => resource.id)).toEqual(["f202"]);
  });

  it("is recorded with the patient, the app and the reasons", async () => {
    const app = new Client({ baseUrl: servers.fhirBase, bearerToken: await tokenOf("glossy") });
    await app.read({ resourceType: "Patient", id: "glossy" });
    const recorded = () => records.find(({ resource }) => resource === "Patient/glossy");
    await expect.poll(recorded).toMatchObject({
      zone: "patient",
      interaction: "read",
      patients: ["glossy"],
      principal: { clientId: PATIENT_APP, subject: "glossy" },
      outcome: "permit",
      status: 200,
      upstream: "ehr",
    });
    expect(recorded()?.decisions.map(({ control }) => control)).toContain("smart-auth");
  });
});

it("a system app reads the records of several patients", async () => {
  const endpoints = await discover(servers.fhirBase);
  const { access_token } = await systemToken(
    endpoints,
    servers.oauth.systemKey,
    "system/Patient.rs system/Observation.rs",
  );
  const app = new Client({ baseUrl: servers.fhirBase, bearerToken: access_token });
  const { entry = [] } = (await app.search({ resourceType: "Patient", searchParams: {} })) as Bundle;
  expect(entry.map(({ resource }) => resource.id)).toEqual(expect.arrayContaining(servers.people.map(({ id }) => id)));
  await expect(app.search({ resourceType: "Condition", searchParams: {} })).rejects.toMatchObject({
    response: { status: 403 },
  });
});

async function tokenOf(patient: string, scope = "launch/patient patient/*.rs"): Promise<string> {
  const endpoints = await discover(servers.fhirBase);
  return (await launch(endpoints, { fhirBase: servers.fhirBase, app: PATIENT_APP, scope, patient })).access_token;
}
