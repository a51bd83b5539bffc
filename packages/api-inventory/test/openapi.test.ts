import { Validator } from "@seriousme/openapi-schema-validator";
import { ask, EXPRESS, listen } from "@wardline-tools/test-kit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  apiDocuments,
  apiInventory,
  apiPage,
  capabilityRest,
  type InventoryEntry,
  type OpenApiOptions,
  openApiDocument,
  PAGE_CSP,
  smartScopes,
} from "../src/index.ts";
import { FHIR, ROUTE } from "./support/records.ts";

const ALL_CODES: NonNullable<InventoryEntry["interactions"]> = [
  "read",
  "vread",
  "update",
  "patch",
  "delete",
  "history-instance",
  "history-type",
  "history-system",
  "create",
  "search-type",
  "search-system",
  "capabilities",
  "batch",
  "transaction",
];
const EVERYTHING: InventoryEntry = {
  id: "all",
  path: "/r4",
  zone: "partner",
  apiType: "provider-access",
  interactions: ALL_CODES,
  operations: ["everything", "export", "submit", "validate", "own-operation"],
  approvedScopes: ["system/*.rs"],
};
const DEVICES: InventoryEntry = {
  ...ROUTE,
  id: "devices",
  path: "/devices/:id/data",
  zone: "device",
  methods: ["POST", "HEAD", "OPTIONS"],
};
const GOING: InventoryEntry = {
  ...FHIR,
  id: "going",
  path: "/old",
  deprecated: "2026-01-01",
  retired: "2027-01-01",
  successor: "/fhir",
};
const OPTIONS: OpenApiOptions = {
  entries: [FHIR, ROUTE, EVERYTHING, DEVICES, GOING],
  title: "Records",
  version: "1.0",
  now: new Date("2026-06-01"),
};

async function faults(document: object): Promise<unknown> {
  const { valid, errors } = await new Validator().validate(structuredClone(document) as Record<string, unknown>);
  return valid ? [] : errors;
}

it("the checker is awake: a document without info is refused", async () => {
  const { info: _, ...broken } = openApiDocument(OPTIONS);
  expect(await faults(broken)).not.toEqual([]);
  const { paths: __, components: ___, ...empty } = openApiDocument(OPTIONS);
  expect(await faults(empty)).not.toEqual([]);
});

it("OpenAPI 3.1: the document holds against the published schema, with and without oauth", async () => {
  expect(await faults(openApiDocument(OPTIONS))).toEqual([]);
  const oauth = { tokenEndpoint: "https://id.example/token", authorizationEndpoint: "https://id.example/authorize" };
  expect(
    await faults(openApiDocument({ ...OPTIONS, oauth, origin: "https://fhir.example.org", description: "d" })),
  ).toEqual([]);
});

it("every reference leads somewhere, every operation id is given once, every path parameter is declared", () => {
  const document = openApiDocument(OPTIONS);
  const text = JSON.stringify(document);
  for (const [, kind = "", name = ""] of text.matchAll(/"#\/components\/([a-zA-Z]+)\/([a-zA-Z]+)"/g)) {
    expect(document.components[kind]).toHaveProperty(name);
  }
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.values(methods).map((one) => ({ path, one })),
  );
  const ids = operations.map(({ one }) => one.operationId);
  expect(new Set(ids).size).toBe(ids.length);
  for (const { path, one } of operations) {
    const wanted = [...path.matchAll(/\{([^}]+)\}/g)].map(([, name]) => name);
    const given = (one.parameters ?? []).flatMap((parameter) =>
      "in" in parameter && parameter.in === "path" ? [(parameter as unknown as { name: string }).name] : [],
    );
    expect(given).toEqual(wanted);
  }
});

it("what is retired is left out, what is deprecated says so with its dates", () => {
  const during = openApiDocument(OPTIONS);
  expect(during.paths["/old/Patient/{id}"]?.["get"]).toMatchObject({
    deprecated: true,
    responses: {
      "200": {
        headers: { Deprecation: { example: "@1767225600" }, Sunset: { example: "Fri, 01 Jan 2027 00:00:00 GMT" } },
      },
      "410": {},
    },
  });
  expect(during.paths["/fhir/Patient/{id}"]?.["get"]?.deprecated).toBeUndefined();
  const after = openApiDocument({ ...OPTIONS, now: new Date("2027-01-01") });
  expect(Object.keys(after.paths).filter((path) => path.startsWith("/old"))).toEqual([]);
});

it("owners, vendors, consumers and dependencies stay inside", () => {
  const entry = {
    ...FHIR,
    owner: "inside-1",
    vendor: { name: "inside-2", agreement: "inside-3" },
    consumers: ["inside-4"],
    dependsOn: ["inside-5"],
    dataClass: "inside-6",
  };
  const document = openApiDocument({ ...OPTIONS, entries: [entry] });
  expect(JSON.stringify(document) + apiPage(document)).not.toContain("inside-");
});

it("zones ask for what their preset demands", () => {
  const { paths, components } = openApiDocument(OPTIONS);
  expect(paths["/r4/metadata"]?.["get"]?.security).toEqual([{ token: ["system/*.rs"], clientCertificate: [] }]);
  expect(paths["/devices/{id}/data"]?.["post"]?.security).toEqual([{ clientCertificate: [] }]);
  expect(Object.keys(components["securitySchemes"] ?? {})).toEqual(["token", "clientCertificate"]);
});

it("the page escapes everything and loads nothing", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (title, summary) => {
      const evil = `<script src="//x"></script>${title}`;
      const page = apiPage(
        openApiDocument({
          ...OPTIONS,
          title: evil,
          description: evil,
          entries: [{ ...ROUTE, summary: `${evil}${summary}` }],
        }),
      );
      expect(page).not.toMatch(/<script|<img|<link|src="|href=|\son[a-z]+="/);
      expect(page).toContain("&lt;script");
    }),
  );
  expect(PAGE_CSP).toMatch(/^default-src 'none'; style-src 'sha256-[A-Za-z0-9+/]{43}='; /);
});

it("CapabilityStatement and smart-configuration say the same as the document", () => {
  const rest = capabilityRest(
    [FHIR, { ...FHIR, id: "write", interactions: ["create"], operations: ["validate"], types: ["Observation"] }],
    "/fhir",
  );
  expect(rest.resource.map(({ type, interaction }) => [type, interaction.map(({ code }) => code)])).toEqual([
    ["Observation", ["read", "create", "search-type"]],
    ["Patient", ["read", "search-type"]],
  ]);
  expect(rest.resource[1]?.operation).toEqual([
    { name: "everything", definition: "http://hl7.org/fhir/OperationDefinition/Patient-everything" },
  ]);
  expect(capabilityRest([GOING], "/old", new Date("2027-01-01")).resource).toEqual([]);
  expect(capabilityRest([EVERYTHING], "/r4").interaction.map(({ code }) => code)).toEqual([
    "transaction",
    "batch",
    "search-system",
    "history-system",
  ]);
  expect(smartScopes([{ ...FHIR, approvedScopes: ["b", "a"] }, { ...EVERYTHING }])).toEqual({
    scopes_supported: ["a", "b"],
  });
});

describe.each(EXPRESS)("live behaviour and document agree on %s", (_name, express) => {
  const entries: InventoryEntry[] = [
    { ...FHIR, interactions: ["read", "search-type", "create"], operations: ["everything", "validate"] },
    { ...FHIR, id: "open", path: "/open", interactions: ALL_CODES, operations: ["everything"] },
    ROUTE,
    GOING,
  ];
  const document = openApiDocument({ ...OPTIONS, entries, now: new Date() });
  const BELOW = [
    "",
    "/metadata",
    "/_history",
    "/_search",
    "/Patient",
    "/Patient/1",
    "/Patient/1/_history",
    "/Patient/1/_history/2",
    "/Patient/_history",
    "/Patient/_search",
    "/Condition/1",
    "/Patient/1/Observation",
    "/Patient/1/Condition",
    "/Patient/1/$everything",
    "/Patient/$everything",
    "/$everything",
    "/Observation/1/$everything",
    "/Patient/$validate",
    "/Observation/1/$validate",
    "/Patient/1/$other",
    "/nothing",
    "/Patient/1/2/3",
  ];
  const PATHS = [
    ...["/fhir", "/open", "/old"].flatMap((base) => BELOW.map((below) => `${base}${below}`)),
    "/slots/1",
    "/slots",
    "/slots/1/2",
    "/",
  ];
  const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"];

  it("undeclared: refuse answers 404 exactly where the document has no operation", async () => {
    const app = express();
    app.use(apiInventory({ entries, undeclared: "refuse" }));
    app.use((_req: unknown, res: { sendStatus(status: number): void }) => res.sendStatus(204));
    const origin = await listen(app);
    const differing: string[] = [];
    for (const path of PATHS) {
      for (const method of METHODS) {
        const query = isConditional(path, method) ? "?identifier=1" : "";
        const { status } = await ask(`${origin}${path}${query}`, { method });
        const live = path.startsWith("/old") && status === 410 ? 404 : status;
        if ((live !== 404) !== documented(path, method)) differing.push(`${method} ${path} ${status}`);
      }
    }
    expect(differing).toEqual([]);
  });

  const isConditional = (path: string, method: string) =>
    /\/[A-Z][a-z]+$/.test(path) && ["PUT", "PATCH", "DELETE"].includes(method) && !path.includes("/1/");

  function documented(path: string, method: string): boolean {
    return Object.entries(document.paths).some(([template, methods]) => {
      const operation = methods[method.toLowerCase()];
      const values = operation === undefined ? null : templateRegExp(template).exec(path);
      const parameters = (operation?.parameters ?? []) as { name?: string; schema?: { enum?: readonly string[] } }[];
      const allowed = parameters.find(({ name }) => name === "type")?.schema?.enum;
      return values !== null && (allowed === undefined || allowed.includes(values.groups?.["type"] ?? ""));
    });
  }
  const templateRegExp = (template: string) =>
    new RegExp(`^${template.replaceAll("$", "\\$").replaceAll(/\{(\w+)\}/g, "(?<$1>[A-Za-z0-9.-]+)")}$`);

  it("document and page are public at their exact paths and nowhere else", async () => {
    const app = express();
    app.use(apiDocuments({ entries, title: "Records", version: "1" }));
    const origin = await listen(app);
    const json = await ask(`${origin}/openapi.json?x=1`);
    expect([json.status, json.headers["content-type"], json.headers["access-control-allow-origin"]]).toEqual([
      200,
      "application/json; charset=utf-8",
      "*",
    ]);
    expect(JSON.parse(json.text)).toMatchObject({ openapi: "3.1.1" });
    const page = await ask(`${origin}/api.html`);
    expect([page.status, page.headers["content-security-policy"]]).toEqual([200, PAGE_CSP]);
    const head = await ask(`${origin}/api.html`, { method: "HEAD" });
    expect([head.status, head.text]).toEqual([200, ""]);
    for (const [method, path] of [
      ["GET", "/openapi.json/x"],
      ["POST", "/openapi.json"],
      ["GET", "/Openapi.json"],
    ] as const) {
      expect((await ask(`${origin}${path}`, { method })).status).toBe(404);
    }
  });

  it("an endpoint leaves the document on its day, without a restart", async () => {
    let now = Date.parse("2026-12-31T23:59:59Z");
    const app = express();
    app.use(apiDocuments({ entries, title: "Records", version: "1", now: () => now }));
    const origin = await listen(app);
    expect((await ask(`${origin}/openapi.json`)).text).toContain('"/old/Patient/{id}"');
    now += 1000;
    expect((await ask(`${origin}/openapi.json`)).text).not.toContain('"/old/');
  });
});
