export { type AssertNoPhiOptions, assertNoPhi } from "./assert-no-phi.ts";
export type { LogRedactionOptions } from "./options.ts";
export { type PinoPhiHooks, pinoPhiHooks } from "./pino.ts";
export { logRedactor } from "./redactor.ts";
export { safeUrl } from "./safe-url.ts";
export { type LogInfo, type PhiLogFormat, phiLogFormat } from "./winston.ts";
