import { type LogRedactionOptions, parseLogOptions } from "./options.ts";
import { redactValue } from "./redact.ts";

/** The part of pino's `hooks` that sees the line last. */
export interface PinoPhiHooks {
  streamWrite(line: string): string;
}

/**
 * Hooks for pino 9.3 and later: `pino({ hooks: pinoPhiHooks() })`. The finished line is judged, so that bindings,
 * serializers and mixins are covered too.
 *
 * Does NOT see lines that pino's own `transport` makes of others in its thread; they are made of judged ones.
 *
 * @throws {ConfigurationError} for every mistake in the options
 * @see https://getpino.io/#/docs/api?id=hooks-object
 */
export function pinoPhiHooks(options: LogRedactionOptions = {}): PinoPhiHooks {
  const parsed = parseLogOptions(options, "pinoPhiHooks()");
  return {
    streamWrite(line) {
      try {
        const record: unknown = JSON.parse(line);
        return `${JSON.stringify(redactValue(record, parsed))}\n`;
      } catch {
        return `${JSON.stringify({ level: 50, msg: "[a record that could not be redacted]" })}\n`;
      }
    },
  };
}
