export { type AddressMatcher, addressMatcher, type Cidr, clientAddress, parseCidr } from "./addresses.ts";
export { FINGERPRINT_HEADERS } from "./answer-headers.ts";
export { clientErrorHandler } from "./client-error.ts";
export { decideEntry, type PerimeterPolicy } from "./decide.ts";
export { perimeter } from "./express.ts";
export { type HeaderFacts, type RequestFacts, readHeaderFacts } from "./facts.ts";
export type { PerimeterOptions } from "./options.ts";
export { FORWARDING_HEADERS, STANDARD_REQUEST_HEADERS } from "./request-headers.ts";
