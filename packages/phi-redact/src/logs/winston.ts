import { type LogRedactionOptions, type ParsedLogOptions, parseLogOptions } from "./options.ts";
import { redactValue } from "./redact.ts";

/** One log record as winston passes it along. */
export interface LogInfo {
  level: string;
  message: unknown;
  [key: string | symbol]: unknown;
}

/** What winston calls a format. */
export interface PhiLogFormat {
  readonly options?: object;
  transform(info: LogInfo): LogInfo;
}

/**
 * A winston format that takes PHI and credentials out of every record, wherever they stand. Put it last before the one
 * that writes the line: `format.combine(format.timestamp(), phiLogFormat(), format.json())`.
 *
 * @throws {ConfigurationError} for every mistake in the options
 */
export function phiLogFormat(options: LogRedactionOptions = {}): PhiLogFormat {
  const parsed = parseLogOptions(options, "phiLogFormat()");
  return {
    transform: (info) => redactInfo(info, parsed),
  };
}

function redactInfo(info: LogInfo, options: ParsedLogOptions): LogInfo {
  const level = info[LEVEL] ?? info.level;
  try {
    const redacted = redactValue(
      isError(info) ? { ...info, message: info.message, error: asError(info) } : { ...info },
      options,
    );
    const { message, ...rest } = redacted as Record<string, unknown>;
    return {
      ...rest,
      // The level is the program's word, and colours may have been added to it.
      level: info.level,
      message: typeof message === "string" || message === undefined ? message : JSON.stringify(message),
      [LEVEL]: level,
      ...redactSymbols(info, options),
    };
  } catch {
    return { level: info.level, message: "[a record that could not be redacted]", [LEVEL]: level };
  }
}

/** A line that was already written, and the arguments it was written from. */
function redactSymbols(info: LogInfo, options: ParsedLogOptions): Record<symbol, unknown> {
  return Object.fromEntries(
    [MESSAGE, SPLAT]
      .filter((symbol) => info[symbol] !== undefined)
      .map((symbol) => [symbol, redactValue(info[symbol], options)]),
  );
}

function isError(info: object): boolean {
  return info instanceof Error;
}

/** winston writes the level into an error that was logged as such. */
function asError(info: object): object {
  const { name, message, stack, cause } = info as Error;
  return Object.assign(new Error(message, cause === undefined ? {} : { cause }), { name, stack });
}

/** @see https://github.com/winstonjs/triple-beam */
const LEVEL = Symbol.for("level");
const MESSAGE = Symbol.for("message");
const SPLAT = Symbol.for("splat");
