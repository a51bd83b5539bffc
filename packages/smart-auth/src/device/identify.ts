import { createHash, X509Certificate } from "node:crypto";
import { type Decision, deny, type Principal, permit } from "@wardline/policy-types";
import { createTokenCache } from "../token-cache.ts";
import type { Problems } from "../token-problems.ts";
import { alternativeNames } from "./alternative-names.ts";
import type { DeviceClassSettings, DeviceIssuer } from "./options.ts";
import { inForce, vouches } from "./path.ts";
import { createCrlCheck, type IsRevoked } from "./revoked.ts";

/** id-kp-clientAuth, RFC 5280 section 4.2.1.12 */
const CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";
const DEVICE_ID = /^[\x21-\x7e]{1,256}$/;

/** Who a device is, by the certificate it proved to hold. */
export type DeviceIdentifier = (certificate: Buffer, problems: Problems) => Promise<Decision<Principal>>;

interface Known {
  readonly caller: Principal;
  readonly serial: string;
  readonly isRevoked: IsRevoked;
  readonly notBefore: number;
}

/**
 * Builds the check of device certificates: issued by a pinned CA, in force, for clients, not revoked, with exactly
 * one name of the kind that names its class's devices. What a certificate says is remembered; time and revocation are
 * asked each time.
 *
 * Does NOT know whether the caller holds the key: TLS, or the terminator that is trusted with it, has checked that.
 *
 * @see https://www.rfc-editor.org/rfc/rfc5280#section-6.1
 */
export function createDeviceIdentifier(classes: readonly DeviceClassSettings[], now: () => number): DeviceIdentifier {
  const checks = new Map(classes.map((one) => [one, createCrlCheck(one, now)]));
  const known = createTokenCache<Known>();

  return async function identify(raw, problems) {
    const fingerprint = createHash("sha256").update(raw).digest("base64url");
    const seconds = Math.floor(now() / 1000);
    const device = known.get(fingerprint, seconds) ?? read(raw, fingerprint);
    if (device === undefined) return deny(problems.certificateInvalid, ["the certificate is no device's"]);
    const { caller } = device;
    if (seconds < device.notBefore || seconds >= (caller.expiresAt ?? 0)) {
      return deny(problems.certificateInvalid, ["the certificate is not in force"]);
    }
    known.set(fingerprint, device, caller.expiresAt ?? 0);
    const isRevoked = await device.isRevoked(device.serial);
    if (isRevoked === undefined) return deny(problems.crlUnavailable, ["there is no revocation list that counts"]);
    return isRevoked
      ? deny(problems.certificateInvalid, ["the certificate was revoked"])
      : permit(caller, ["device certificate"]);
  };

  function read(raw: Buffer, fingerprint: string): Known | undefined {
    try {
      const certificate = new X509Certificate(raw);
      if (certificate.ca) return undefined;
      // Absent, a certificate is for anything (section 4.2.1.12).
      if (certificate.keyUsage?.includes(CLIENT_AUTH) === false) return undefined;
      for (const one of classes) {
        const issuer = one.issuers.find(({ certificate: ca }) => vouches(ca, certificate));
        const check = checks.get(one);
        if (issuer !== undefined && check !== undefined)
          return describe(certificate, fingerprint, { one, issuer, check });
      }
    } catch {
      // Unreadable: nobody's.
    }
    return undefined;
  }
}

function describe(
  certificate: X509Certificate,
  fingerprint: string,
  of: { readonly one: DeviceClassSettings; readonly issuer: DeviceIssuer; readonly check: IsRevoked },
): Known | undefined {
  const { identity, scopes, organisation, name } = of.one;
  const names = alternativeNames(certificate, identity.name);
  const [given = ""] = names;
  const device = given.slice(identity.prefix.length);
  if (names.length !== 1 || !given.startsWith(identity.prefix) || !DEVICE_ID.test(device)) return undefined;
  const { notBefore, notAfter } = inForce([certificate]);
  const caller: Principal = Object.freeze({
    method: "client-certificate",
    issuer: of.issuer.certificate.subject.replaceAll("\n", ", "),
    subject: device,
    device,
    ...(organisation === undefined ? {} : { organisation }),
    roles: Object.freeze([name]),
    purposeOfUse: Object.freeze([]),
    launch: Object.freeze({}),
    scopes,
    expiresAt: Math.min(notAfter, of.issuer.notAfter),
    confirmation: Object.freeze({ x5tS256: fingerprint }),
  });
  return Object.freeze({
    caller,
    serial: certificate.serialNumber.replace(/^0+(?=.)/, ""),
    isRevoked: of.check,
    notBefore: Math.max(notBefore, of.issuer.notBefore),
  });
}
