import type { IncomingMessage } from "node:http";

/** Node keeps the first of two and hides the other (RFC 9110 section 5.3). */
export function hasOneContentType({ rawHeaders }: IncomingMessage): boolean {
  return rawHeaders.filter((name, at) => at % 2 === 0 && name.toLowerCase() === "content-type").length === 1;
}
