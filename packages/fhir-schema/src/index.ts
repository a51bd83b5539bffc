export type { SchemaIssue } from "./issues.ts";
export { checkOperationBody, checkOperationQuery, type OperationCall } from "./operations/check.ts";
export { checkFhirPathPatch } from "./patch/fhirpath-patch.ts";
export { checkJsonPatch } from "./patch/json-patch.ts";
export type { QueryLimits } from "./queries/limits.ts";
export { checkSearch, type QueryUse, type QueryVerdict } from "./queries/search.ts";
