import { beforeAll, describe, expect, it } from "vitest";
import { createBackend } from "../src/backend.ts";
import { readExamples } from "../src/data.ts";
import { freePorts, listen } from "./support.ts";

interface Bundle {
  readonly type: string;
  readonly total?: number;
  readonly link?: readonly { readonly relation: string; readonly url: string }[];
  readonly entry?: readonly {
    readonly fullUrl?: string;
    readonly resource?: { readonly resourceType: string; readonly id: string; readonly meta?: { versionId: string } };
    readonly search?: { readonly mode: string };
    readonly response?: { readonly status: string };
  }[];
}

let base = "";
beforeAll(async () => {
  const { backend } = await freePorts();
  base = `http://127.0.0.1:${backend}/fhir/R4`;
  const oauth = { authorize: "http://127.0.0.1/auth", token: "http://127.0.0.1/token" };
  await listen(await createBackend({ baseUrl: base, resources: await readExamples(), oauth }), backend);
});

describe("the FHIR server behind the gateway", () => {
  it("answers FHIR JSON with a version", async () => {
    const answer = await fetch(`${base}/Patient/example`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("application/fhir+json; charset=utf-8");
    expect(answer.headers.get("etag")).toMatch(/^W\/".+"$/);
    expect(await answer.json()).toMatchObject({ resourceType: "Patient", id: "example" });
  });

  it("is unguarded: it shows everybody's records to anybody", async () => {
    const { entry = [] } = await get("Observation?_count=200");
    const subjects = entry.map(({ resource }) => (resource as unknown as { subject: { reference: string } }).subject);
    expect(new Set(subjects.map(({ reference }) => reference)).size).toBe(6);
  });

  it("says what it is, and where apps are authorised", async () => {
    const text = await (await fetch(`${base}/metadata`)).text();
    expect(JSON.parse(text)).toMatchObject({ resourceType: "CapabilityStatement", fhirVersion: "4.0.1" });
    expect(text).toContain("http://127.0.0.1/auth");
  });

  it.each([
    ["a whole reference", "Observation?subject=Patient/f001", 5],
    ["a bare id", "Observation?patient=f001", 5],
    ["a bare id that several types could have", "Observation?subject=f001", 5],
    ["a patient's compartment", "Patient/f001/Observation", 5],
    ["a token", "Observation?category=vital-signs&patient=example", 6],
    ["a provenance by its patient", "Provenance?patient=Patient/f001", 1],
    ["an appointment by its patient", "Appointment?patient=Patient/example", 2],
    ["a document by its patient", "DocumentReference?patient=Patient/pat1", 1],
    ["an id", "Patient?_id=pat1", 1],
  ])("searches by %s", async (_what, query, total) => {
    const bundle = await get(query);
    expect(bundle.type).toBe("searchset");
    expect([bundle.total, bundle.entry?.length]).toEqual([total, total]);
    expect(bundle.entry?.every(({ fullUrl = "" }) => fullUrl.startsWith(`${base}/`))).toBe(true);
  });

  it("searches by POST", async () => {
    const answer = await fetch(`${base}/Observation/_search`, {
      method: "POST",
      body: new URLSearchParams({ patient: "f001" }),
    });
    expect(((await answer.json()) as Bundle).total).toBe(5);
  });

  it("includes what matches point to and what points to them", async () => {
    const included = async (query: string) =>
      (await get(query)).entry
        ?.filter(({ search }) => search?.mode === "include")
        .map(({ resource }) => nameOf(resource));
    expect(await included("Observation?_id=f001&_include=Observation:subject")).toEqual(["Patient/f001"]);
    expect(await included("Observation?_id=f001&_include=Observation:performer")).toEqual(["Practitioner/f005"]);
    expect(await included("Patient?_id=f001&_revinclude=Observation:subject")).toHaveLength(5);
    expect(
      await included("Observation?_id=f001&_include=Observation:subject&_include:iterate=Patient:organization"),
    ).toEqual(["Patient/f001", "Organization/f001"]);
    expect(await included("Observation?_id=f001&_include=Observation:subject:Group")).toEqual([]);
  });

  it("pages", async () => {
    const seen: string[] = [];
    let next: string | undefined = `${base}/Observation?patient=f001&_count=2`;
    while (next !== undefined) {
      const bundle: Bundle = (await (await fetch(next)).json()) as Bundle;
      expect(bundle.total).toBe(5);
      seen.push(...(bundle.entry ?? []).map(({ resource }) => nameOf(resource)));
      next = bundle.link?.find(({ relation }) => relation === "next")?.url;
    }
    expect([seen.length, new Set(seen).size]).toEqual([5, 5]);
  });

  it("keeps history, newest first, however often it is asked", async () => {
    const put = (status: string) =>
      send("PUT", "Encounter/home", { resourceType: "Encounter", id: "home", status, class: { code: "HH" } });
    expect((await put("planned")).status).toBe(200);
    const versions = async () =>
      (await get("Encounter/home/_history")).entry?.map(({ resource }) => resource?.meta?.versionId);
    const first = await versions();
    expect(first).toHaveLength(2);
    expect(await versions()).toEqual(first);
    const newest = await fetch(`${base}/Encounter/home/_history/${first?.[0]}`);
    expect(await newest.json()).toMatchObject({ status: "planned" });
  });

  it("gives a created resource an id of its own", async () => {
    const answer = await send("POST", "Observation", {
      resourceType: "Observation",
      id: "f001",
      status: "final",
      code: { text: "mine" },
    });
    const created = (await answer.json()) as { id: string };
    expect([answer.status, created.id === "f001"]).toEqual([201, false]);
    expect(answer.headers.get("location")).toContain(`${base}/Observation/${created.id}/_history/`);
    expect((await send("DELETE", `Observation/${created.id}`)).status).toBe(200);
    expect((await fetch(`${base}/Observation/${created.id}`)).status).toBe(404);
  });

  it("runs batches and transactions", async () => {
    const batch = await send("POST", "", {
      resourceType: "Bundle",
      type: "batch",
      entry: ["Patient/example", "Patient/nobody", "Observation?patient=f001"].map((url) => ({
        request: { method: "GET", url },
      })),
    });
    const { entry = [] } = (await batch.json()) as Bundle;
    expect(entry.map(({ response }) => response?.status)).toEqual(["200", "404", "200"]);

    const transaction = await send("POST", "", {
      resourceType: "Bundle",
      type: "transaction",
      entry: [
        {
          fullUrl: "urn:uuid:8c1b5c1e-5f2b-4c1e-9c55-8c7c3f0a0001",
          request: { method: "POST", url: "Condition" },
          resource: { resourceType: "Condition", subject: { reference: "Patient/pat1" } },
        },
      ],
    });
    const answer = (await transaction.json()) as Bundle;
    expect([answer.type, answer.entry?.[0]?.response?.status]).toEqual(["transaction-response", "201"]);
  });

  it("tells of faults as an OperationOutcome", async () => {
    const broken = await fetch(base, {
      method: "POST",
      headers: { "content-type": "application/fhir+json" },
      body: "{",
    });
    expect([broken.status, ((await broken.json()) as Bundle & { resourceType: string }).resourceType]).toEqual([
      400,
      "OperationOutcome",
    ]);
  });
});

async function get(path: string): Promise<Bundle> {
  return (await (await fetch(`${base}/${path}`)).json()) as Bundle;
}

function send(method: string, path: string, body?: object): Promise<Response> {
  return fetch(path === "" ? base : `${base}/${path}`, {
    method,
    headers: { "content-type": "application/fhir+json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

function nameOf(resource: { resourceType: string; id: string } | undefined): string {
  return `${resource?.resourceType}/${resource?.id}`;
}
