import { common } from "../common.ts";
import type { Draft } from "../draft.ts";
import { APPLICATION, AUTHORIZER, conceptOf, OAUTH_AGENT, ORGANISATION, PURPOSE_SYSTEM } from "./codes.ts";
import { partOf, type Rendering } from "./event.ts";
import type { Naming } from "./naming.ts";
import type { AuditAgent, CodeableConcept, Coding, Reference } from "./resource.ts";
import type { AuditSource } from "./source.ts";
import { tokenUri } from "./token.ts";

type Principal = NonNullable<Rendering["record"]["principal"]>;

/** The application (or device) that made the call, at the address it called from. */
export function clientAgent({ record, naming }: Rendering, type: Coding): AuditAgent {
  const { principal, clientCertificate } = record;
  const address = record.forwardedAddress ?? record.peerAddress;
  const alone = principal !== undefined && !hasUser(principal);
  // A client known by its id is BALP's OAuth client as well: one agent, two type codings.
  const isOAuthClient = principal?.clientId !== undefined && type !== APPLICATION;
  const agent: Draft<AuditAgent> = {
    type: conceptOf(type, isOAuthClient ? APPLICATION : undefined),
    who: clientWho({ record, naming }),
    requestor: !hasUser(principal),
  };
  if (clientCertificate !== undefined) {
    const { fingerprint256 } = clientCertificate;
    agent.altId = principal?.clientId === undefined ? naming.text("certificate", fingerprint256) : fingerprint256;
  }
  if (alone) authorise(agent, principal);
  if (address !== undefined) agent.network = { address, type: "2" };
  return agent;
}

export function serverAgent(source: AuditSource, type: Coding): AuditAgent {
  return partOf(source, type, () => {
    const { address } = source;
    const agent: Draft<AuditAgent> = {
      type: conceptOf(type),
      who: { display: source.observer },
      requestor: false,
    };
    if (address !== undefined) agent.network = { address, type: address.includes("://") ? "5" : "1" };
    return agent;
  });
}

/**
 * The person or account behind the call. With a token id it is BALP's OAuth agent as well: one agent, two type codings.
 *
 * @see https://profiles.ihe.net/ITI/BALP/StructureDefinition-IHE.BasicAudit.OAUTHaccessTokenUse.Minimal.html
 */
export function userAgent({ record, naming }: Rendering, type: Coding): AuditAgent | undefined {
  const { principal } = record;
  if (principal === undefined || !hasUser(principal)) return undefined;
  const { who, altId } = userWho(principal, naming);
  const agent: Draft<AuditAgent> = {
    type: conceptOf(type, principal.tokenId === undefined ? undefined : OAUTH_AGENT),
    who,
    requestor: true,
  };
  if (altId !== undefined) agent.altId = altId;
  authorise(agent, principal);
  return agent;
}

export function organisationAgent({ record }: Pick<Rendering, "record">): AuditAgent | undefined {
  const organisation = record.principal?.organisation;
  if (organisation === undefined) return undefined;
  return { type: conceptOf(ORGANISATION), who: { identifier: { value: organisation } }, requestor: false };
}

/** Who refused: the edge itself. */
export function authorizerAgent(source: AuditSource): AuditAgent {
  return { type: conceptOf(AUTHORIZER), who: { display: source.observer }, requestor: false };
}

export function purposes(codes: readonly string[]): CodeableConcept[] {
  return codes.map(purpose);
}

const purpose = common((code): CodeableConcept => ({ coding: [{ system: PURPOSE_SYSTEM, code }] }));
const role = common((text): CodeableConcept => ({ text }));

/** A client that calls for itself has itself as subject; a device has a certificate of its own. */
function hasUser(principal: Principal | undefined): boolean {
  return principal !== undefined && principal.device === undefined && principal.subject !== principal.clientId;
}

function clientWho({ record, naming }: Pick<Rendering, "record" | "naming">): Reference {
  const { principal, clientCertificate, forwardedAddress, peerAddress } = record;
  if (principal?.clientId !== undefined) return { identifier: { system: principal.issuer, value: principal.clientId } };
  if (principal?.device !== undefined) {
    return { identifier: naming.identifier("device", principal.issuer, principal.device) };
  }
  if (clientCertificate !== undefined) return { display: naming.text("certificate", clientCertificate.subject) };
  return { display: forwardedAddress ?? peerAddress ?? "unknown" };
}

/** A hashed reference is an identifier, of which `who` has one: the subject's. The resource then goes beside it. */
function userWho({ issuer, subject, fhirUser }: Principal, naming: Naming): Pick<AuditAgent, "who" | "altId"> {
  const identifier = naming.identifier("subject", issuer, subject);
  if (fhirUser === undefined) return { who: { identifier } };
  const relative = /^[A-Za-z]+\/[^/]+$/.test(fhirUser);
  const named = relative ? naming.resource(fhirUser) : { reference: naming.text("reference", fhirUser) };
  if (named.reference === fhirUser && isAgentReference(fhirUser)) {
    return { who: { reference: fhirUser, identifier } };
  }
  return { who: { identifier }, altId: named.identifier?.value ?? named.reference ?? fhirUser };
}

function authorise(agent: Draft<AuditAgent>, { roles, tokenId, purposeOfUse }: Principal): void {
  if (roles.length > 0) agent.role = roles.map(role);
  if (tokenId !== undefined) agent.policy = [tokenUri(tokenId)];
  if (purposeOfUse.length > 0) agent.purposeOfUse = purposes(purposeOfUse);
}

/** What R4 lets `agent.who` refer to, relative or absolute. A Person, which `fhirUser` may be, is not among them. */
function isAgentReference(reference: string): boolean {
  const idAt = reference.lastIndexOf("/");
  const typeAt = reference.lastIndexOf("/", idAt - 1);
  if (!AGENT_TYPES.has(reference.slice(typeAt + 1, idAt)) || !ID.test(reference.slice(idAt + 1))) return false;
  return typeAt === -1 || ABSOLUTE.test(reference.slice(0, typeAt));
}

const AGENT_TYPES: ReadonlySet<string> = new Set([
  "Patient",
  "Practitioner",
  "PractitionerRole",
  "RelatedPerson",
  "Device",
  "Organization",
]);
const ID = /^[A-Za-z0-9.-]{1,64}$/;
const ABSOLUTE = /^https?:\/\/\S+$/;
