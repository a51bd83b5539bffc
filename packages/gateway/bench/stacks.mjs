// What stands before the same handlers: nothing, what a user would assemble otherwise, every Wardline control.
import { join } from "node:path";
import { BASE } from "./fixtures.mjs";
import { DOCUMENT } from "./open-api.mjs";

export const WINDOWS = [
  { name: "burst", limit: 1e9, windowSeconds: 60, by: "client" },
  { name: "day", limit: 1e12, windowSeconds: 86_400, by: "client" },
];
const JSON_TYPES = ["application/fhir+json", "application/json"];

export async function bare(app) {
  const { default: express } = await import("express");
  app.use(express.json({ type: JSON_TYPES }));
}

/** helmet, one window, a verified JWT, requests and answers judged by a document, a redaction by hand, a winston line each. */
export async function offTheShelf(app, { folder, issuer }) {
  const [{ default: express }, { default: helmet }, { rateLimit }, { auth }, openApiValidator, winston] =
    await Promise.all([
      import("express"),
      import("helmet"),
      import("express-rate-limit"),
      import("express-oauth2-jwt-bearer"),
      import("express-openapi-validator"),
      import("winston"),
    ]);
  const logger = winston.createLogger({
    transports: [new winston.transports.File({ filename: join(folder, "access.log") })],
  });
  app.use((req, res, next) => {
    res.once("finish", () => logger.info("access", { method: req.method, path: req.path, status: res.statusCode }));
    next();
  });
  app.use(helmet());
  app.use(rateLimit({ windowMs: 60_000, limit: 1e9, standardHeaders: "draft-8", legacyHeaders: false }));
  app.use(auth({ issuer, jwksUri: `${issuer}/jwks`, audience: BASE, tokenSigningAlg: "ES256" }));
  app.use(express.json({ type: JSON_TYPES }));
  app.use(
    openApiValidator.middleware({
      apiSpec: DOCUMENT,
      validateRequests: true,
      validateResponses: true,
      validateSecurity: false,
      ignorePaths: /^\/export/,
    }),
  );
  app.use((_req, res, next) => {
    const json = res.json.bind(res);
    res.json = (body) => json(withoutNames(body));
    next();
  });
}

function withoutNames(body) {
  const copy = structuredClone(body);
  for (const resource of copy.entry?.map((entry) => entry.resource) ?? [copy]) {
    delete resource.text;
    delete resource.telecom;
    delete resource.subject?.display;
  }
  return copy;
}

const CONTROLS = [
  "audit-event",
  "perimeter",
  "tiered-throttle-door",
  "smart-auth",
  "tiered-throttle",
  "fhir-schema",
  "phi-redact",
];

/** Every control there is, as a team mounts them in an app of its own. */
export async function everything(app, { folder, issuer, durability, profile = "minimum-necessary" }) {
  const [
    { auditEvent, openLedger },
    { fhirSchema },
    { perimeter },
    { phiRedact },
    { inOrder, requireControls },
    smart,
    throttle,
  ] = await Promise.all([
    import("@wardline/audit-event"),
    import("@wardline/fhir-schema"),
    import("@wardline/perimeter"),
    import("@wardline/phi-redact"),
    import("@wardline/policy-types/express"),
    import("@wardline/smart-auth"),
    import("@wardline/tiered-throttle"),
  ]);
  // A disk that others use as well stands still for a second now and then, and refusals are not what is measured.
  const ledger = await openLedger({ folder: join(folder, "audit"), queueBytes: 64 * 1024 * 1024 });
  const issuers = [{ issuer, jwksUri: `${issuer}/jwks`, audience: [BASE] }];
  app.use(
    inOrder([
      auditEvent({ ledger, source: { observer: "bench", address: BASE }, durability }),
      perimeter({ development: true }),
      throttle.doorThrottle({ limit: 1e9, windowSeconds: 60 }),
    ]),
  );
  const redact = phiRedact({ profile });
  app.use("/export", redact);
  app.use(
    "/fhir",
    inOrder([
      smart.smartAuth({ baseUrl: BASE, development: true, issuers, interactions: ["read", "search-type", "create"] }),
      throttle.tieredThrottle({ windows: WINDOWS }),
      fhirSchema(),
      redact,
      requireControls(CONTROLS),
    ]),
  );
}
