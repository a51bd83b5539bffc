// Arrows go up only (docs/pipeline.md): middlewares know the vocabulary and R4, never a sibling; only the gateway knows them all.
const MIDDLEWARES =
  "smart-auth|fhir-schema|phi-redact|tiered-throttle|audit-event|perimeter|abuse-monitor|api-inventory";

module.exports = {
  forbidden: [
    { name: "no-circular", severity: "error", from: {}, to: { circular: true } },
    {
      name: "policy-types-knows-nobody",
      severity: "error",
      from: { path: "^packages/policy-types/src" },
      to: { path: "^packages/", pathNot: "^packages/policy-types/src" },
    },
    {
      name: "fhir-r4-knows-only-policy-types",
      severity: "error",
      from: { path: "^packages/fhir-r4/src" },
      to: { path: "^packages/", pathNot: "^packages/(fhir-r4|policy-types)/src" },
    },
    {
      name: "no-sibling",
      severity: "error",
      from: { path: `^packages/(${MIDDLEWARES})/src` },
      to: { path: "^packages/", pathNot: "^packages/($1|policy-types|fhir-r4)/src" },
    },
    {
      name: "gateway-does-not-know-its-users",
      severity: "error",
      from: { path: "^packages/gateway/src" },
      to: { path: "^(packages/cli|examples)/" },
    },
    {
      name: "public-entries-only",
      comment: "A package is used through what it exports, as its users do.",
      severity: "error",
      from: { path: "^(packages|examples)/([^/]+)/" },
      to: { path: "^packages/([^/]+)/src", pathNot: ["^packages/$2/", "^packages/[^/]+/src/(index|express)\\.ts$"] },
    },
    {
      name: "only-adapters-know-express",
      comment: "One file per package knows Express; judgements are pure.",
      severity: "error",
      from: { path: `^packages/(fhir-r4|${MIDDLEWARES})/src`, pathNot: ["/src/express\\.ts$", "/src/express/"] },
      to: { path: ["node_modules/express/", "node_modules/@types/express/"] },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "(^|/)(dist|test|generator)/" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.base.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["@wardline/source", "import", "types", "default"],
    },
  },
};
