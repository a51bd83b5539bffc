export { PERMITTED_READ } from "./access-record.ts";
export { type Answer, ask, codeIn, type Question } from "./ask.ts";
export { type CertificateWish, type IssuedCertificate, type TestCa, testCa } from "./ca.ts";
export { askPort, listenOnPort } from "./door.ts";
export { describeWithRedis, freePort, type RedisServer, startRedis } from "./redis.ts";
export { EXPRESS, listen } from "./servers.ts";
export { writeStarterFiles } from "./starter-files.ts";
export { type PipedTerminal, type Printed, pipedTerminal } from "./terminal.ts";
