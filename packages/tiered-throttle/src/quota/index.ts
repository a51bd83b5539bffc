export { type Calendar, createCalendar, type Period, type PeriodUnit } from "./calendar.ts";
export type { QuotaCount, QuotaMemory } from "./memory.ts";
export type { QuotaPolicy } from "./policy.ts";
