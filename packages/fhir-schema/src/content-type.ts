import type { IncomingMessage } from "node:http";

/** Node keeps the first of two and hides the other (RFC 9110 section 5.3). */
export function hasOneContentType({ rawHeaders }: IncomingMessage): boolean {
  let count = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at];
    if (name?.length === CONTENT_TYPE.length && name.toLowerCase() === CONTENT_TYPE) count++;
  }
  return count === 1;
}

const CONTENT_TYPE = "content-type";
