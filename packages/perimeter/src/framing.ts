import { type Decision, deny, permit } from "@wardline/policy-types";
import type { RequestFacts } from "./facts.ts";
import { type ProblemName, problemOf } from "./problems.ts";

/**
 * Judges the method and how the body is framed.
 *
 * Does NOT read the body. Node refuses most broken framing before a request exists; these rules hold for what a lenient
 * parser or a terminator in front would let through.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9112#section-6.3
 */
export function decideFraming(
  request: Pick<RequestFacts, "method" | "httpVersion" | "headers">,
  { methods }: { readonly methods: readonly string[] },
): Decision<undefined> {
  const fault = findFramingFault(request, methods);
  if (fault === undefined) return FRAMED;
  const headers = fault === "method-not-allowed" ? { Allow: methods.join(", ") } : undefined;
  return deny(problemOf(fault, headers), [`framing: ${fault}`]);
}

const FRAMED = permit(undefined, ["method and framing"]);

function findFramingFault(
  { method, httpVersion, headers: { lines } }: Pick<RequestFacts, "method" | "httpVersion" | "headers">,
  methods: readonly string[],
): ProblemName | undefined {
  // Node's parser also reads 0.9 and 2.0 on a plain connection; proxies around us frame these differently.
  if (httpVersion !== "1.1" && httpVersion !== "1.0") return "http-version";
  const coding = lines.get("transfer-encoding")?.join(",");
  const length = lines.get("content-length")?.join(",");
  if (coding !== undefined && (length !== undefined || httpVersion === "1.0")) return "framing-ambiguous";
  if (length !== undefined && !/^\d{1,15}$/.test(length)) return "framing-ambiguous";
  if (coding !== undefined && coding.trim().toLowerCase() !== "chunked") return "transfer-coding";
  if (!methods.includes(method)) return "method-not-allowed";
  if (OVERRIDES.some((name) => lines.has(name))) return "method-override";
  if (BODILESS.has(method) && (coding !== undefined || Number(length ?? 0) > 0)) return "body-unexpected";
  const expectation = lines.get("expect")?.join(",");
  if (expectation !== undefined && expectation.toLowerCase() !== "100-continue") return "expectation-failed";
  return undefined;
}

const OVERRIDES = ["x-http-method-override", "x-http-method", "x-method-override"] as const;
/** RFC 9110 sections 9.3.1, 9.3.2 and 9.3.5: a body here has no meaning, and hides what a cache or backend reads. */
const BODILESS: ReadonlySet<string> = new Set(["GET", "HEAD", "DELETE"]);
