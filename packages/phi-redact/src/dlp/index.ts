export { type DetectOptions, maskDetections, type PhiScanner, phiScanner } from "./detect.ts";
export { type Detection, ENTITIES, type Entity } from "./detection.ts";
export { namesIn } from "./people.ts";
