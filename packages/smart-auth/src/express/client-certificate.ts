import type { IncomingMessage } from "node:http";
import { findings } from "@wardline/policy-types";
import { contextOf } from "@wardline/policy-types/express";
import { parseCertificateHeader } from "../certificate/options.ts";
import { clientCertificate } from "../certificate/read.ts";
import type { ClientCertificateHeader } from "../certificate/settings.ts";

/**
 * Gives the certificate a client proved to hold, as DER: the connection's own, or the one a trusted terminator reports. For
 * whoever has to tell it to a server behind. Throws a `ConfigurationError` for options that cannot be right.
 *
 * Does NOT say whose it is, or whether it counts.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9440
 */
export function certificateReader(header?: ClientCertificateHeader): (req: IncomingMessage) => Buffer | undefined {
  const found = findings();
  const settings = header === undefined ? undefined : parseCertificateHeader(found, header, "clientCertificateHeader");
  found.throwIfAny("certificateReader options");
  return (req) => clientCertificate(req.rawHeaders, contextOf(req).transport, settings);
}
