import { type LogRedactionOptions, parseLogOptions } from "./options.ts";
import { redactValue } from "./redact.ts";

/**
 * A redactor for any other logger, for error trackers and for telemetry: gives a plain copy without PHI and credentials.
 *
 * @throws {ConfigurationError} for every mistake in the options
 */
export function logRedactor(options: LogRedactionOptions = {}): (value: unknown) => unknown {
  const parsed = parseLogOptions(options, "logRedactor()");
  return (value) => redactValue(value, parsed);
}
