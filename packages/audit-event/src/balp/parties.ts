import { constant } from "../json-text.ts";
import { clientAgent, organisationAgent, serverAgent, userAgent } from "./agents.ts";
import type { Pattern } from "./codes.ts";
import { present, type Rendering } from "./event.ts";
import type { AuditAgent } from "./resource.ts";
import { tokenProfiles } from "./token.ts";

/** Who took part in an access, as an event lists them, and what BALP lets it claim for that. */
export interface Parties {
  readonly agents: readonly AuditAgent[];
  /** Both ends are known by their addresses. */
  readonly areLocated: boolean;
  /** See `tokenProfiles`. */
  readonly tokenProfiles: readonly string[];
}

/** The parties of a caller who asked before in the same way, from the same place, are the same. */
export function partiesOf(facts: Rendering, pattern: Pattern): Parties {
  const { principal } = facts.record;
  if (principal === undefined || !Object.isFrozen(principal) || !Object.isFrozen(facts.source)) {
    return renderParties(facts, pattern);
  }
  const remembered = KNOWN.get(principal) ?? [];
  const at = remembered.findIndex((one) => one.pattern === pattern);
  const last = remembered[at];
  if (last !== undefined && isSame(last, facts)) {
    // Written once for who comes again, and not for who comes once.
    if (!Object.isFrozen(last.parties.agents)) constant(last.parties.agents);
    return last.parties;
  }
  const parties = renderParties(facts, pattern);
  const { source, naming, record } = facts;
  const made: Remembered = {
    pattern,
    parties,
    source,
    naming,
    address: record.forwardedAddress ?? record.peerAddress,
    fingerprint: record.clientCertificate?.fingerprint256,
  };
  if (at !== -1) remembered[at] = made;
  else if (remembered.push(made) === 1) KNOWN.set(principal, remembered);
  return parties;
}

interface Remembered extends Pick<Rendering, "source" | "naming"> {
  readonly pattern: Pattern;
  readonly parties: Parties;
  readonly address: string | undefined;
  readonly fingerprint: string | undefined;
}

/** The last of each kind only: there are few kinds, and a caller seldom changes its place. */
const KNOWN = new WeakMap<object, Remembered[]>();

function isSame(last: Remembered, { source, naming, record }: Rendering): boolean {
  return (
    last.source === source &&
    last.naming === naming &&
    last.address === (record.forwardedAddress ?? record.peerAddress) &&
    last.fingerprint === record.clientCertificate?.fingerprint256
  );
}

function renderParties(facts: Rendering, pattern: Pattern): Parties {
  const client = clientAgent(facts, pattern.client);
  const server = serverAgent(facts.source, pattern.server);
  const user = userAgent(facts, pattern.user);
  return {
    agents: present([client, server, user, organisationAgent(facts)]),
    areLocated: client.network !== undefined && server.network !== undefined,
    tokenProfiles: tokenProfiles(facts.record.principal?.tokenId, client, user),
  };
}
