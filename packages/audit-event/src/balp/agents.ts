import type { AccessRecord } from "@wardline/policy-types";
import { AUTHORIZER, OAUTH_AGENT, ORGANISATION, PURPOSE_SYSTEM } from "./codes.ts";
import type { AuditAgent, Coding, Reference } from "./resource.ts";
import type { AuditSource } from "./source.ts";

type Principal = NonNullable<AccessRecord["principal"]>;

/** The application (or device) that made the call, at the address it called from. */
export function clientAgent(record: AccessRecord, type: Coding): AuditAgent {
  const { principal, clientCertificate } = record;
  const address = record.forwardedAddress ?? record.peerAddress;
  const alone = principal !== undefined && !hasUser(principal);
  return {
    type: { coding: [type] },
    who: clientWho(record),
    ...(clientCertificate === undefined ? {} : { altId: clientCertificate.fingerprint256 }),
    requestor: !hasUser(principal),
    ...(alone ? authority(principal) : {}),
    ...(address === undefined ? {} : { network: { address, type: "2" } }),
  };
}

export function serverAgent(source: AuditSource, type: Coding): AuditAgent {
  const { address } = source;
  return {
    type: { coding: [type] },
    who: { display: source.observer },
    requestor: false,
    ...(address === undefined ? {} : { network: { address, type: address.includes("://") ? "5" : "1" } }),
  };
}

/**
 * The person or account behind the call. With a token id it is BALP's OAuth agent as well: one agent, two type codings.
 *
 * @see https://profiles.ihe.net/ITI/BALP/StructureDefinition-IHE.BasicAudit.OAUTHaccessTokenUse.Minimal.html
 */
export function userAgent(record: AccessRecord, type: Coding): AuditAgent | undefined {
  const { principal } = record;
  if (principal === undefined || !hasUser(principal)) return undefined;
  const { issuer, subject, fhirUser, tokenId } = principal;
  const isReference = fhirUser !== undefined && AGENT_REFERENCE.test(fhirUser);
  return {
    type: { coding: tokenId === undefined ? [type] : [type, OAUTH_AGENT] },
    who: { ...(isReference ? { reference: fhirUser } : {}), identifier: { system: issuer, value: subject } },
    ...(fhirUser === undefined || isReference ? {} : { altId: fhirUser }),
    requestor: true,
    ...authority(principal),
  };
}

export function organisationAgent(record: AccessRecord): AuditAgent | undefined {
  const organisation = record.principal?.organisation;
  if (organisation === undefined) return undefined;
  return { type: { coding: [ORGANISATION] }, who: { identifier: { value: organisation } }, requestor: false };
}

/** Who refused: the edge itself. */
export function authorizerAgent(source: AuditSource): AuditAgent {
  return { type: { coding: [AUTHORIZER] }, who: { display: source.observer }, requestor: false };
}

/** `urn:ietf:params:oauth:jti:` and the token's id, as a URI: BALP's SHALL, which its own examples leave out. */
export function tokenUrn(tokenId: string): string {
  return `urn:ietf:params:oauth:jti:${tokenId.replace(/[^\u0021-\u007e]/gu, percentEncoded)}`;
}

/** A client that calls for itself has itself as subject; a device has a certificate of its own. */
function hasUser(principal: Principal | undefined): boolean {
  return principal !== undefined && principal.device === undefined && principal.subject !== principal.clientId;
}

function clientWho({ principal, clientCertificate, forwardedAddress, peerAddress }: AccessRecord): Reference {
  if (principal?.clientId !== undefined) return { identifier: { system: principal.issuer, value: principal.clientId } };
  if (principal?.device !== undefined) return { identifier: { system: principal.issuer, value: principal.device } };
  if (clientCertificate !== undefined) return { display: clientCertificate.subject };
  return { display: forwardedAddress ?? peerAddress ?? "unknown" };
}

function authority({ roles, tokenId, purposeOfUse }: Principal): Partial<AuditAgent> {
  return {
    ...(roles.length === 0 ? {} : { role: roles.map((text) => ({ text })) }),
    ...(tokenId === undefined ? {} : { policy: [tokenUrn(tokenId)] }),
    ...(purposeOfUse.length === 0
      ? {}
      : { purposeOfUse: purposeOfUse.map((code) => ({ coding: [{ system: PURPOSE_SYSTEM, code }] })) }),
  };
}

function percentEncoded(character: string): string {
  return [...Buffer.from(character)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join("");
}

/** What R4 lets `agent.who` refer to. A Person, which `fhirUser` may be, is not among them. */
const AGENT_REFERENCE =
  /^(?:https?:\/\/[^\s]+\/)?(?:Patient|Practitioner|PractitionerRole|RelatedPerson|Device|Organization)\/[A-Za-z0-9.-]{1,64}$/;
