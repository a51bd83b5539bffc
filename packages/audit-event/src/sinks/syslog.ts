import { type ConnectionOptions, connect } from "node:tls";
import { checkInteger } from "../ledger/options.ts";
import type { LedgerEntry } from "../ledger/read.ts";
import { eventIdOf, type Sink, type SinkLimits, unreachable } from "../shipper/sink.ts";
import { lookAtSink, lookAtTls } from "./options.ts";

export interface SyslogSinkOptions {
  /** Default `syslog`. */
  readonly name?: string;
  /** Of the receiver, which must speak TLS. */
  readonly host: string;
  /** Default 6514. */
  readonly port?: number;
  /** CA, client certificate and key. The server's certificate is always verified. */
  readonly tls?: Pick<ConnectionOptions, "ca" | "cert" | "key" | "passphrase" | "servername">;
  /** HOSTNAME of the messages. */
  readonly hostname: string;
  /** Default `wardline`. */
  readonly appName?: string;
  /** Your private enterprise number, for the name of the structured data. Default 32473, which is for examples. */
  readonly enterpriseNumber?: number;
  /** Deadline of one delivery, and how much one carries. */
  readonly limits?: Partial<SinkLimits>;
}

/**
 * Sends each event as an RFC 5424 message, octet-counted over TLS. A batch is a connection: syslog has no acknowledgement,
 * so the receiver's end of the connection, in answer to ours, stands for one. It does NOT show that the receiver has
 * stored the events, and one that dies just between our end and its own may lose a batch: where that is not acceptable,
 * use a sink whose receiver acknowledges.
 *
 * @see https://www.rfc-editor.org/rfc/rfc5424#section-6
 * @see https://www.rfc-editor.org/rfc/rfc5425#section-4.3
 * @throws {ConfigurationError} for a mistake in the options
 */
export function syslogSink(options: SyslogSinkOptions): Sink {
  const { name = "syslog", host, port = 6514, tls = {}, limits, enterpriseNumber = EXAMPLES } = options;
  const found = lookAtSink(options, {
    required: { host: "name the receiver's host", hostname: "name this edge, as the messages are to" },
    optional: ["appName"],
    others: ["port", "tls", "enterpriseNumber"],
  });
  checkInteger(found, "port", port, 1, 65_535);
  checkInteger(found, "enterpriseNumber", enterpriseNumber, 0, 4_294_967_295);
  lookAtTls(found, options.tls);
  found.throwIfAny("syslogSink()");
  return {
    name,
    ...(limits === undefined ? {} : { limits }),
    send(entries, signal) {
      const bytes = Buffer.concat(entries.map((entry) => framed(renderSyslog(entry, options))));
      return deliver({ ...tls, host, port, minVersion: "TLSv1.2", rejectUnauthorized: true }, bytes, signal);
    },
  };
}

/** A receiver that ends before we do has not waited for everything: the batch goes again. */
function deliver(to: ConnectionOptions, bytes: Buffer, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    let ending = false;
    let answered = false;
    const end = (): void => {
      ending = true;
      socket.end();
    };
    const socket = connect(to, () => socket.write(bytes, () => setTimeout(end, SETTLING_MS)));
    const abort = (): void => void socket.destroy(new Error("the delivery was given up"));
    signal.addEventListener("abort", abort, { once: true });
    socket.once("end", () => {
      answered = ending;
    });
    // Not once: a connection that has failed may fail again when it is given up, and nobody else would hear it.
    socket.on("error", (error) => reject(unreachable(error)));
    socket.once("close", (failed) => {
      signal.removeEventListener("abort", abort);
      if (answered && !failed) resolve();
      else reject(unreachable(undefined));
    });
    socket.resume();
  });
}

/** RFC 5425 section 4.3: the length in octets, a space, the message. */
function framed(message: string): Buffer {
  return Buffer.from(`${Buffer.byteLength(message)} ${message}`);
}

/** One RFC 5424 message. The JSON is ASCII, so that it needs no BOM (section 6.4). */
export function renderSyslog(
  entry: LedgerEntry,
  { hostname, appName = "wardline", enterpriseNumber = EXAMPLES }: Omit<SyslogSinkOptions, "host">,
): string {
  const priority = LOG_AUDIT * 8 + severityOf(entry.event);
  const header = `<${priority}>1 ${entry.at} ${nameOf(hostname, 255)} ${nameOf(appName, 48)} - AuditEvent`;
  const data = `[wardline@${enterpriseNumber} id="${eventIdOf(entry)}" seq="${entry.seq}" hash="${entry.hash}"]`;
  return `${header} ${data} ${asciiJson(entry.event)}`;
}

/** @see https://www.rfc-editor.org/rfc/rfc5612 */
const EXAMPLES = 32_473;

/** PRINTUSASCII, or the nil value. */
function nameOf(name: string, longest: number): string {
  return name.replace(/[^\u0021-\u007e]/g, "").slice(0, longest) || "-";
}

/** informational, warning, error, critical. */
function severityOf(event: unknown): number {
  const { outcome } = (event ?? {}) as { readonly outcome?: unknown };
  return { "4": 4, "8": 3, "12": 2 }[String(outcome)] ?? 6;
}

function asciiJson(event: unknown): string {
  return JSON.stringify(event).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

const LOG_AUDIT = 13;
/** Between the last byte and our end: a receiver that is going down shows it in this time. */
const SETTLING_MS = 20;
