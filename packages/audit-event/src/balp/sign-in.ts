import type { SignInRecord } from "@wardline/policy-types";
import { clientAgent, serverAgent } from "./agents.ts";
import { APPLICATION, DESTINATION, LOGIN, ownCode, SYSTEM_OBJECT, USER_AUTHENTICATION } from "./codes.ts";
import { add, outcomeEntity } from "./entities.ts";
import { begin, present, type Rendering, sourceOf } from "./event.ts";
import { containedOutcome, describeOutcome, outcomeOf } from "./outcome.ts";
import type { AuditAgent, AuditEntity, AuditEvent, Coding } from "./resource.ts";

/**
 * A request to the authorization server behind the edge: no operation on data, but an authentication. At the token endpoint
 * it is the login; what precedes it has no code of DICOM.
 *
 * @see https://dicom.nema.org/medical/dicom/current/output/html/part15.html section A.5.3.13
 */
export function signInEvent(facts: Rendering, signIn: SignInRecord): AuditEvent {
  const { record, source } = facts;
  const refused = record.problem !== undefined;
  const outcomeDesc = describeOutcome(record);
  return {
    ...begin(facts),
    type: USER_AUTHENTICATION,
    subtype: subtypesOf(facts, signIn),
    action: "E",
    ...facts.times,
    outcome: outcomeOf(record),
    ...(outcomeDesc === undefined ? {} : { outcomeDesc }),
    agent: [clientOf(facts, signIn), serverAgent(source, DESTINATION)],
    source: sourceOf(source),
    entity: present([signInEntity(facts, signIn), facts.transaction, refused ? outcomeEntity("refusal") : undefined]),
    ...(refused ? { contained: [containedOutcome("refusal", record)] } : {}),
  };
}

function subtypesOf({ record }: Rendering, { endpoint }: SignInRecord): readonly Coding[] {
  const what = endpoint === "token" ? LOGIN : SIGN_IN;
  if (record.status === 429) return [what, THROTTLED];
  if (outcomeOf(record) !== "4") return [what];
  return [what, endpoint === "token" ? LOGIN_FAILED : REFUSED];
}

/** By the name it gave, where nobody could prove it: whose name was tried is what an inquiry asks first. */
function clientOf(facts: Rendering, { issuer, clientId }: SignInRecord): AuditAgent {
  const agent = clientAgent(facts, APPLICATION);
  if (facts.record.principal !== undefined || clientId === undefined) return agent;
  return { ...agent, who: { identifier: { system: issuer, value: clientId } } };
}

function signInEntity({ record }: Rendering, { endpoint, issuer, clientId, grantType }: SignInRecord): AuditEntity {
  const detail: NonNullable<AuditEntity["detail"]>[number][] = [];
  add(detail, "issuer", issuer);
  add(detail, "endpoint", endpoint);
  add(detail, "grant-type", grantType);
  if (clientId !== undefined) add(detail, "client", record.principal === undefined ? "claimed" : "proved");
  return { type: SYSTEM_OBJECT, name: "sign-in", detail };
}

const SIGN_IN: Coding = ownCode("sign-in");
const LOGIN_FAILED: Coding = ownCode("login-failed");
const REFUSED: Coding = ownCode("refused");
const THROTTLED: Coding = ownCode("throttled");
