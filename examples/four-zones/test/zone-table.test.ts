import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { readLedger } from "@wardline/audit-event";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { createAuthority } from "../src/ca.ts";
import { type Answer, type Asked, type Caller, call } from "../src/call.ts";
import { partner, patientToken, staffToken } from "../src/callers.ts";
import { observation } from "../src/data.ts";
import { type Edge, startEdge } from "../src/edge.ts";

let edge: Edge;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "four-zones-"));
  edge = await startEdge({ folder, anyPorts: true, onEvent: () => undefined });
});
afterAll(async () => {
  await edge.close();
  await rm(folder, { recursive: true, force: true });
});

type Zone = keyof Edge["bases"];

function ask(zone: Zone, path: string, caller: Omit<Caller, "ca">, asked?: Asked): Promise<Answer> {
  return call(edge.bases[zone] + path, { ca: edge.ca, ...caller }, asked);
}
const status = ({ status: given, code }: Answer): unknown[] => [given, code];
const PERMITTED = [200, undefined];
const CREATED = [201, undefined];
const UNMET = [422, "fhir-schema/profile-not-met"];

const asPatient = async (patient = "anna", more = {}) => ({ token: await patientToken(edge, patient, more) });
const asStaff = async (more = {}) => ({ token: await staffToken(edge, more) });
const asPayer = (name: "north" | "south" = "north") => partner(edge, name);
const asMonitor = (name: "one" | "two" = "one") => edge.monitors[name];

/** The first answer that is not the usual one, of at most `most` times the same question. */
async function until(
  most: number,
  question: () => Promise<Answer>,
): Promise<{ readonly after: number; readonly last: Answer }> {
  for (let after = 0; ; after += 1) {
    const last = await question();
    if (last.status === 429 || after === most) return { after, last };
  }
}

/** Offers one version of TLS only, and gives what was agreed. */
function offer(zone: Zone, version: "TLSv1.1" | "TLSv1.2" | "TLSv1.3", own: object = {}): Promise<string | null> {
  const { hostname, port } = new URL(edge.bases[zone]);
  const versions = { minVersion: version, maxVersion: version, ciphers: "DEFAULT@SECLEVEL=0" };
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: hostname,
      port: Number(port),
      ca: edge.ca,
      servername: "fhir.example.org",
      ...versions,
      ...own,
    });
    socket.once("error", reject);
    socket.once("secureConnect", () => {
      resolve(socket.getProtocol());
      socket.destroy();
    });
  });
}

/** Events of the ledger, as text. */
async function eventsOf(isWanted: (event: string) => boolean): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { event } of readLedger(join(folder, "audit"))) {
    const text = JSON.stringify(event);
    if (isWanted(text)) found.push(text);
  }
  return found;
}

describe("patient", () => {
  it("authentication: a SMART token; no token and another zone's token are refused", async () => {
    expect(status(await ask("patient", "/Patient/anna", await asPatient()))).toEqual(PERMITTED);
    expect(status(await ask("patient", "/Patient/anna", {}))).toEqual([401, "smart-auth/credentials-missing"]);
    expect(status(await ask("patient", "/Patient/anna", await asStaff()))).toEqual([401, "smart-auth/token-invalid"]);
  });

  it("client control: a public client with PKCE; without PKCE, by password, or not approved it is refused", async () => {
    expect(status(await ask("patient", "/Condition/anna-asthma", await asPatient()))).toEqual(PERMITTED);
    const noPkce = await fetch(`${edge.issuer}/authorize?response_type=code&client_id=patient-app`);
    expect([noPkce.status, await noPkce.json()]).toMatchObject([400, { error: "invalid_request" }]);
    const form = new URLSearchParams({ grant_type: "password", username: "anna", password: "secret" });
    expect((await fetch(`${edge.issuer}/token`, { method: "POST", body: form })).status).toBe(400);
    const unknown = await ask("patient", "/Patient/anna", await asPatient("anna", { clientId: "other-app" }));
    expect(status(unknown)).toEqual([403, "smart-auth/client-not-registered"]);
  });

  it("transport: TLS 1.2 and 1.3; TLS 1.1 and plain http are refused", async () => {
    expect(await offer("patient", "TLSv1.2")).toBe("TLSv1.2");
    expect(await offer("patient", "TLSv1.3")).toBe("TLSv1.3");
    await expect(offer("patient", "TLSv1.1")).rejects.toThrow();
    await expect(fetch(`${edge.bases.patient}/Patient/anna`.replace("https:", "http:"))).rejects.toThrow();
  });

  it("rate limit: per app and per user; another person goes on", async () => {
    const greedy = await asPatient("greedy");
    const { after, last } = await until(21, () => ask("patient", "/Observation", greedy));
    expect([after, ...status(last)]).toEqual([20, 429, "tiered-throttle/rate-exceeded"]);
    expect(status(await ask("patient", "/Observation", await asPatient("ben")))).toEqual(PERMITTED);
  });

  it("data: the minimum necessary of one's own record; of another's, nothing", async () => {
    const { body } = await ask("patient", "/Patient/anna", await asPatient());
    expect(body).toMatchObject({ name: [{ family: "Example" }], birthDate: "1980-04-01" });
    expect(JSON.stringify(body)).not.toMatch(/999-12-3456|Next of kin|married/);
    expect(status(await ask("patient", "/Patient/ben", await asPatient()))).toEqual([404, "smart-auth/not-found"]);
  });

  it("audit: the full trace of what was permitted and of what was refused", async () => {
    await ask("patient", "/Observation/anna-pulse", await asPatient());
    await ask("patient", "/Observation/ben-pulse", await asPatient());
    const events = await eventsOf((text) => text.includes("patient-app") && text.includes("-pulse"));
    expect(events.some((text) => text.includes("Patient/anna"))).toBe(true);
    expect(events.some((text) => text.includes("smart-auth/not-found"))).toBe(true);
  });

  it("input: a valid resource; a malformed one is refused", async () => {
    expect(status(await ask("patient", "/Observation", await asPatient(), { body: observation("anna") }))).toEqual(
      CREATED,
    );
    const malformed = observation("anna", { status: "perhaps" });
    expect(status(await ask("patient", "/Observation", await asPatient(), { body: malformed }))).toEqual([
      400,
      "fhir-schema/resource-invalid",
    ]);
  });
});

describe("internal", () => {
  it("authentication: an OpenID provider's token with a role; none, and a patient's, are refused", async () => {
    expect(status(await ask("staff", "/Patient/anna", await asStaff()))).toEqual(PERMITTED);
    expect(status(await ask("staff", "/Patient/anna", {}))).toEqual([401, "smart-auth/credentials-missing"]);
    expect(status(await ask("staff", "/Patient/anna", await asPatient()))).toEqual([401, "smart-auth/token-invalid"]);
  });

  it.each([
    ["no role", { roles: [] }],
    ["another purpose", { purpose_of_use: "HMARKT" }],
    ["an unmanaged computer", { device_posture: "unmanaged" }],
    ["a computer nobody knows of", { device_posture: undefined }],
  ])("client control: role, purpose and posture; %s is refused", async (_what, claims) => {
    expect(status(await ask("staff", "/Observation/ben-pulse", await asStaff()))).toEqual(PERMITTED);
    expect(status(await ask("staff", "/Observation/ben-pulse", await asStaff(claims)))).toEqual([
      403,
      "smart-auth/policy-refused",
    ]);
  });

  it("client control: a physician writes; a nurse reads only", async () => {
    const nurse = await asStaff({ sub: "nurse-lee", roles: ["nurse"] });
    expect(status(await ask("staff", "/Observation", await asStaff(), { body: observation("ben") }))).toEqual(CREATED);
    expect(status(await ask("staff", "/Observation/ben-pulse", nurse))).toEqual(PERMITTED);
    expect(status(await ask("staff", "/Observation", nurse, { body: observation("ben") }))).toEqual([
      403,
      "smart-auth/policy-refused",
    ]);
  });

  it("transport: TLS 1.2 or later from the hospital's networks; older TLS and other networks are refused", async () => {
    expect(await offer("staff", "TLSv1.2")).toBe("TLSv1.2");
    await expect(offer("staff", "TLSv1.1")).rejects.toThrow();
    expect(status(await ask("staff", "/Patient/anna", { ...(await asStaff()), from: "127.0.0.2" }))).toEqual(PERMITTED);
    expect(status(await ask("staff", "/Patient/anna", { ...(await asStaff()), from: "127.0.0.9" }))).toEqual([
      403,
      "perimeter/zone-address-not-allowed",
    ]);
  });

  it("rate limit: high, per department; another department goes on", async () => {
    const busy = await asStaff({ department: "emergency" });
    const { after, last } = await until(31, () => ask("staff", "/Patient/anna", busy));
    expect([after, ...status(last)]).toEqual([30, 429, "tiered-throttle/rate-exceeded"]);
    const colleague = await asStaff({ sub: "dr-bailey", department: "emergency" });
    expect((await ask("staff", "/Patient/anna", colleague)).status).toBe(429);
    expect(status(await ask("staff", "/Patient/anna", await asStaff()))).toEqual(PERMITTED);
  });

  it("data: the full resource; a type that is not served is refused", async () => {
    const { body } = await ask("staff", "/Patient/anna", await asStaff());
    expect(JSON.stringify(body)).toMatch(/999-12-3456.*married.*Next of kin/);
    expect((await ask("staff", "/Coverage/anna-coverage", await asStaff())).status).toBe(404);
  });

  it("audit: names the user, of what was permitted and of what was refused", async () => {
    await ask("staff", "/Patient/ben", await asStaff({ sub: "dr-yang" }));
    await ask("staff", "/Patient/ben", await asStaff({ sub: "dr-yang", roles: [] }));
    const events = await eventsOf((text) => text.includes("dr-yang"));
    expect(events.some((text) => text.includes("TREAT") && text.includes("Patient/ben"))).toBe(true);
    expect(events.some((text) => text.includes("smart-auth/"))).toBe(true);
  });

  it("input: what is valid and meets the profile; a malformed one, and one that does not meet it, are refused", async () => {
    expect(status(await ask("staff", "/Observation", await asStaff(), { body: observation("anna") }))).toEqual(CREATED);
    const malformed = observation("anna", { valueQuantity: { value: "72" } });
    expect(status(await ask("staff", "/Observation", await asStaff(), { body: malformed }))).toEqual([
      400,
      "fhir-schema/resource-invalid",
    ]);
    const unmeasured = observation("anna", { valueQuantity: undefined, valueString: "fast" });
    expect(status(await ask("staff", "/Observation", await asStaff(), { body: unmeasured }))).toEqual(UNMET);
  });
});

describe("partner", () => {
  it("authentication: a token bound to the caller's certificate; with another certificate, or unbound, it is refused", async () => {
    const north = await asPayer("north");
    expect(status(await ask("partner", "/Patient/anna", north))).toEqual(PERMITTED);
    const stolen = { ...edge.payers.south.certificate, token: north.token ?? "" };
    expect(status(await ask("partner", "/Patient/anna", stolen))).toEqual([401, "smart-auth/token-invalid"]);
    const claims = { sub: "payer-north", client_id: "payer-north", patient: "anna", scope: "patient/*.rs" };
    const unbound = await edge.signIn.issue({ ...claims, aud: `${edge.origin}/partner` });
    expect(status(await ask("partner", "/Patient/anna", { ...edge.payers.north.certificate, token: unbound }))).toEqual(
      [401, "smart-auth/token-invalid"],
    );
  });

  it("client control: a signed assertion; another's, and one sent twice, are refused", async () => {
    const wish = { member: "anna", scope: "patient/*.rs", resource: `${edge.origin}/partner` };
    expect((await edge.payers.north.askForToken(wish)).status).toBe(200);
    const used = await edge.payers.north.signAssertion();
    expect((await edge.payers.north.askForToken({ ...wish, assertion: used })).status).toBe(200);
    const again = await edge.payers.north.askForToken({ ...wish, assertion: used });
    expect([again.status, again.body]).toMatchObject([401, { error: "invalid_client" }]);
    const others = await edge.payers.south.signAssertion();
    const forged = await edge.payers.north.askForToken({
      ...wish,
      assertion: others.replace(/^[^.]+/, used.split(".")[0] ?? ""),
    });
    expect([forged.status, forged.body]).toMatchObject([401, { error: "invalid_client" }]);
  });

  it("transport: mutual TLS; no certificate, and another authority's, end the handshake", async () => {
    expect(await offer("partner", "TLSv1.3", edge.payers.north.certificate)).toBe("TLSv1.3");
    await expect(ask("partner", "/Patient/anna", {})).rejects.toThrow();
    const strange = await (await createAuthority("Partner CA")).issue({ name: "payer-north", use: "client" });
    await expect(ask("partner", "/Patient/anna", strange)).rejects.toThrow();
    await expect(ask("partner", "/Patient/anna", asMonitor())).rejects.toThrow();
  });

  it("rate limit: the contract's quota; another organisation goes on", async () => {
    const south = await asPayer("south");
    const { after, last } = await until(16, () => ask("partner", "/Patient/ben", south));
    expect([after, ...status(last)]).toEqual([15, 429, "tiered-throttle/quota-exceeded"]);
    expect(status(await ask("partner", "/Patient/anna", await asPayer("north")))).toEqual(PERMITTED);
  });

  it("data: of its own member; of others, nothing, whether it asks the sign-in or the edge", async () => {
    const north = await asPayer("north");
    const { body } = await ask("partner", "/Coverage", north);
    expect(body?.entry?.map(({ resource }) => resource.id)).toEqual(["anna-coverage"]);
    expect(status(await ask("partner", "/Patient/ben", north))).toEqual([404, "smart-auth/not-found"]);
    const wish = { member: "ben", scope: "patient/*.rs", resource: `${edge.origin}/partner` };
    expect((await edge.payers.north.askForToken(wish)).status).toBe(400);
  });

  it("audit: names the organisation, of what was permitted and of what was refused", async () => {
    await ask("partner", "/Coverage/anna-coverage", await asPayer("north"));
    await ask("partner", "/Coverage/ben-coverage", await asPayer("north"));
    const events = await eventsOf((text) => text.includes("payer-north") && text.includes("Coverage/"));
    expect(events.some((text) => text.includes("anna-coverage"))).toBe(true);
    expect(events.some((text) => text.includes("smart-auth/not-found"))).toBe(true);
  });

  it("input: what is valid and meets the profile; a malformed one, and one that does not meet it, are refused", async () => {
    const north = await asPayer("north");
    expect(status(await ask("partner", "/Observation", north, { body: observation("anna") }))).toEqual(CREATED);
    expect(
      status(await ask("partner", "/Observation", north, { body: observation("anna", { status: "perhaps" }) })),
    ).toEqual([400, "fhir-schema/resource-invalid"]);
    const unmeasured = observation("anna", { valueQuantity: undefined });
    expect(status(await ask("partner", "/Observation", north, { body: unmeasured }))).toEqual(UNMET);
  });
});

describe("device", () => {
  const send = (caller: Omit<Caller, "ca">, body: object = observation("anna")) =>
    ask("device", "/Observation", caller, { body });

  it("authentication: a device's certificate; a token in its place is refused", async () => {
    expect(status(await send(asMonitor()))).toEqual(CREATED);
    expect(status(await send({ ...asMonitor(), token: await staffToken(edge) }))).toEqual([
      401,
      "smart-auth/token-invalid",
    ]);
  });

  it("client control: fixed scopes; what they do not name is refused", async () => {
    expect(status(await send(asMonitor()))).toEqual(CREATED);
    expect(status(await ask("device", "/Observation/anna-pulse", asMonitor()))).toEqual([
      405,
      "smart-auth/interaction-not-allowed",
    ]);
  });

  it("transport: mutual TLS from the monitors' network; no certificate and other networks are refused", async () => {
    expect(status(await send({ ...asMonitor(), from: "127.0.0.3" }))).toEqual(CREATED);
    expect(status(await send({ ...asMonitor(), from: "127.0.0.9" }))).toEqual([
      403,
      "perimeter/zone-address-not-allowed",
    ]);
    await expect(send({})).rejects.toThrow();
    await expect(send(edge.payers.north.certificate)).rejects.toThrow();
  });

  it("rate limit: per device; another device goes on", async () => {
    const { last } = await until(21, () => send(asMonitor("two")));
    expect(status(last)).toEqual([429, "tiered-throttle/rate-exceeded"]);
    expect(status(await send(asMonitor("one")))).toEqual(CREATED);
  });

  it("rate limit: a pool of its own; when apps have taken all the rest, apps are refused and monitors are not", async () => {
    const apps = await asPatient("ben");
    const release = edge.ehr.hold();
    onTestFinished(release);
    const waiting = [1, 2, 3].map(() => ask("patient", "/Observation", apps));
    await expect.poll(edge.ehr.waiting).toBe(3);
    const oneMore = await ask("patient", "/Observation", apps);
    const telemetry = send(asMonitor());
    await expect.poll(edge.ehr.waiting).toBe(4);
    release();
    expect(status(oneMore)).toEqual([503, "tiered-throttle/pool-full"]);
    expect(status(await telemetry)).toEqual(CREATED);
    expect((await Promise.all(waiting)).map(({ status: given }) => given)).toEqual([200, 200, 200]);
  });

  it("data: telemetry; another type is refused", async () => {
    expect(status(await send(asMonitor()))).toEqual(CREATED);
    const patient = { resourceType: "Patient", name: [{ family: "Example" }] };
    expect((await ask("device", "/Patient", asMonitor(), { body: patient })).status).toBe(404);
  });

  it("audit: names the device, of what was permitted and of what was refused", async () => {
    await send(asMonitor());
    await send(asMonitor(), { resourceType: "Observation" });
    const events = await eventsOf((text) => text.includes("monitor-1"));
    expect(events.some((text) => text.includes("Observation/new-") && text.includes("Patient/anna"))).toBe(true);
    expect(events.some((text) => text.includes("fhir-schema/"))).toBe(true);
  });

  it("input: the strict schema of a closed list; what is malformed, and a batch, is refused", async () => {
    expect(status(await send(asMonitor()))).toEqual(CREATED);
    expect(status(await send(asMonitor(), observation("anna", { unknown: 1 })))).toEqual([
      400,
      "fhir-schema/resource-invalid",
    ]);
    const batch = { resourceType: "Bundle", type: "batch", entry: [] };
    expect((await ask("device", "", asMonitor(), { body: batch })).status).toBe(405);
  });
});

describe("zones are isolated: what one door lets in is not served behind another", () => {
  const PATHS: Readonly<Record<Zone, string>> = {
    patient: "/patient",
    staff: "/staff",
    partner: "/partner",
    device: "/device",
  };
  const zones = Object.keys(PATHS) as Zone[];
  const pairs = zones.flatMap((door) =>
    zones.filter((other) => other !== door).map((other): [Zone, Zone] => [door, other]),
  );

  it.each(pairs)("the %s door does not serve the %s zone", async (door, other) => {
    const certificate = door === "partner" ? edge.payers.north.certificate : door === "device" ? asMonitor() : {};
    const url = new URL(edge.bases[door]).origin + PATHS[other];
    const token = other === "staff" ? await staffToken(edge) : await patientToken(edge, "anna");
    const answer = await call(`${url}/Patient/anna`, { ca: edge.ca, ...certificate, token });
    expect(status(answer)).toEqual([404, "gateway/no-route"]);
  });
});
