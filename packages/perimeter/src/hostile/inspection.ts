import { headInspector, type InspectHead } from "./head.ts";
import { type HostileInputOptions, parseHostileOptions } from "./options.ts";

/**
 * The hostile-input rules without Express: what they find in path, query and the headers that `passes` lets through, and
 * the signals of scanners.
 *
 * @throws {ConfigurationError} with every mistake in the options
 */
export function inspectionOf(options: HostileInputOptions = {}): InspectHead {
  return headInspector(parseHostileOptions(options));
}
