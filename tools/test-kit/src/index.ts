export { type Answer, ask, codeIn, type Question } from "./ask.ts";
export { EXPRESS, listen } from "./servers.ts";
