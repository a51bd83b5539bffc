export { type Answer, ask, codeIn, type Question } from "./ask.ts";
export { askPort, listenOnPort } from "./door.ts";
export { EXPRESS, listen } from "./servers.ts";
