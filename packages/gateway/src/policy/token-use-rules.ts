import { type Findings, type RoutePolicy, ZONE_PRESETS } from "@wardline/policy-types";

/** How often and by whom a token may be used, and what members may submit to. */
export function checkTokenUse(route: RoutePolicy, path: string, found: Findings): void {
  const { oneTimeTokens, bindToFirstHolder, operations = [], memberOperations = {}, zone } = route;
  if (bindToFirstHolder === true && oneTimeTokens === true) {
    const message = "a token that counts once has no second holder; leave one of the two out";
    found.add(`${path}.bindToFirstHolder`, "contradictory", message);
  }
  if (bindToFirstHolder === true && ZONE_PRESETS[zone].authentication === "device-certificate") {
    found.add(`${path}.bindToFirstHolder`, "unused", "devices have no tokens; leave it out");
  }
  for (const name of Object.keys(memberOperations)) {
    const at = `${path}.memberOperations.${name}`;
    if (name === "export") found.add(at, "unknown-value", "an export is judged by its types, not by a submission");
    else if (!operations.includes(name)) found.add(at, "not-offered", `name \`${name}\` in \`operations\`, too`);
  }
}
