export { type DetectOptions, maskDetections, type PhiScanner, phiScanner } from "./detect.ts";
export { type Detection, ENTITIES, type Entity } from "./detection.ts";
export { type ExchangePhi, exchangePhi } from "./exchange.ts";
export { type DlpMode, type DlpOptions, REQUEST_ENTITIES, type SearchMode } from "./options.ts";
export { namesIn } from "./people.ts";
export type { DlpFinding } from "./request.ts";
