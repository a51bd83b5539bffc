import { parseCidr } from "@wardline/perimeter";
import type { Findings, PolicyDocument } from "@wardline/policy-types";

/** Whether every address of a policy is one. */
export function checkAddresses(policy: PolicyDocument, found: Findings): void {
  const { trustedProxies, routes, devices = [], conditions = [] } = policy;
  const lists: [path: string, ranges: readonly string[] | undefined][] = [
    ["trustedProxies", trustedProxies],
    ...routes.map(({ addresses }, index): [string, typeof addresses] => [`routes[${index}].addresses`, addresses]),
    ...devices.map(({ addresses }, index): [string, typeof addresses] => [`devices[${index}].addresses`, addresses]),
    ...conditions.map(({ when }, index): [string, typeof when.networks] => [
      `conditions[${index}].when.networks`,
      when.networks,
    ]),
  ];
  for (const [path, ranges = []] of lists) {
    for (const [index, range] of ranges.entries()) {
      if (parseCidr(range) !== undefined) continue;
      const message = `\`${range}\` is no address and no CIDR range; write \`10.20.0.0/16\`, with nothing behind the prefix`;
      found.add(`${path}[${index}]`, "not-a-range", message);
    }
  }
  for (const [index, range] of (trustedProxies ?? []).entries()) {
    // S4: to believe everybody is to believe whoever forges the header.
    if (parseCidr(range)?.prefix !== 0) continue;
    const message = "believes the forwarding headers of everybody; name the proxies' own addresses";
    found.add(`trustedProxies[${index}]`, "too-wide", message);
  }
}
