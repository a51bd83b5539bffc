export type { Load, LoadMeter } from "./load.ts";
export { createShedder, type Shedder, type ShedderOptions, type ShedderSnapshot, type ShedRange } from "./shedder.ts";
