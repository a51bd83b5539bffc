import { writeFile } from "node:fs/promises";
import { renderAuditEvents } from "@wardline/audit-event";
import type { AccessRecord } from "@wardline/policy-types";
import { describe, expect, it } from "vitest";
import { finished, readEvent } from "../src/records/from-event.ts";
import { record, writeLedger } from "./support/ledger.ts";
import { run, testFolder } from "./support/terminal.ts";

const folder = testFolder();
const SOURCE = { observer: "edge", address: "https://fhir.example" };

describe("a record read back from its event", () => {
  it.each<[string, Partial<AccessRecord>]>([
    ["a read", {}],
    [
      "a search behind a proxy",
      { interaction: "search-type", resource: "", parameters: ["name", "_count"], forwardedAddress: "198.51.100.7" },
    ],
    [
      "a refusal",
      {
        outcome: "deny",
        status: 404,
        problem: "smart-auth/not-found",
        patients: [],
        decisions: [
          { control: "smart-auth", kind: "deny", because: ["outside", "guard"], code: "smart-auth/not-found" },
        ],
      },
    ],
    ["a failed login", { outcome: "deny", status: 401, problem: "smart-auth/token-expired", patients: [] }],
    ["a broken transfer", { completed: false }],
    ["an operation", { interaction: "operation", operation: "everything", resourceType: "Patient" }],
  ])("is the one it was made of: %s", (_what, change) => {
    const { resource, ...before } = record(change);
    const whole: AccessRecord = resource === "" || resource === undefined ? before : { ...before, resource };
    const [event] = renderAuditEvents(whole, { source: SOURCE });
    const told = event === undefined ? undefined : readEvent(event);
    expect(told === undefined ? undefined : finished(told)).toEqual(whole);
  });

  it("takes no alert and no start for a request", () => {
    expect(readEvent({ entity: [], agent: [] } as never)).toBeUndefined();
  });
});

/** One app that asks for patient after patient. */
const enumeration = Array.from({ length: 300 }, (_, index) =>
  record({
    requestId: `request-${index}`,
    receivedAt: Date.parse("2026-01-31T12:00:00Z") + index * 100,
    resource: `Patient/p-${1000 + index}`,
    patients: [`p-${1000 + index}`],
  }),
);

describe("abuse simulate", () => {
  it("tells of a log what would have been told", async () => {
    await writeLedger(folder("audit"), enumeration);
    const { code, out } = await run(["abuse", "simulate", folder("audit")]);
    expect(out).toContain("300 records");
    expect(out).toContain("patient-enumeration");
    expect(code).toBe(0);
  });

  it("counts a request with several patients once", async () => {
    await writeLedger(folder("audit"), [record({ patients: ["ash", "birch", "cedar"] })]);
    expect(JSON.parse((await run(["abuse", "simulate", folder("audit"), "--json"])).out)).toMatchObject({ records: 1 });
  });

  it("takes a file of records, and says which line is none", async () => {
    await writeFile(folder("records.ndjson"), enumeration.map((one) => `${JSON.stringify(one)}\n`).join(""));
    expect(JSON.parse((await run(["abuse", "simulate", folder("records.ndjson"), "--json"])).out)).toMatchObject({
      records: 300,
    });
    await writeFile(folder("records.ndjson"), `${JSON.stringify(record())}\n{}\n`);
    expect(await run(["abuse", "simulate", folder("records.ndjson")])).toMatchObject({
      code: 2,
      err: expect.stringContaining(":2") as string,
    });
  });

  it("knows impossible travel when the policy says where networks are", async () => {
    const at = Date.parse("2026-01-31T12:00:00Z");
    await writeLedger(folder("audit"), [
      record({ receivedAt: at, peerAddress: "198.51.100.1" }),
      record({ receivedAt: at + 60_000, peerAddress: "203.0.113.1", requestId: "request-2" }),
    ]);
    await writeFile(
      folder("places.csv"),
      "network,latitude,longitude\n198.51.100.0/24,52.5,13.4\n203.0.113.0/24,-33.9,151.2\n",
    );
    await writeFile(folder("policy.yaml"), `places: ${folder("places.csv")}`);
    const simulate = ["abuse", "simulate", folder("audit")];
    expect((await run(simulate)).out).not.toContain("impossible-travel");
    expect((await run([...simulate, "--policy", folder("policy.yaml")])).out).toContain("impossible-travel");
    await writeFile(folder("policy.yaml"), "places: 7");
    expect((await run([...simulate, "--policy", folder("policy.yaml")])).err).toContain("name of a file");
  });

  it("takes a policy and refuses a misspelled one", async () => {
    await writeLedger(folder("audit"), [record()]);
    await writeFile(folder("policy.yaml"), "thresholds: { patientEnumeratoin: {} }");
    const { code, err } = await run(["abuse", "simulate", folder("audit"), "--policy", folder("policy.yaml")]);
    expect(err).toContain("patientEnumeratoin");
    expect(code).toBe(2);
  });
});
