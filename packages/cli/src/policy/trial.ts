import type { PolicySource } from "@wardline/policy-types";

/**
 * A policy for a trial on this machine: its further doors take any port, because an edge may be running here, and no
 * usage figures are written down, whatever a payer's real edge has to keep: the policy itself was checked before.
 */
export function forTrial({ usage: _usage, payer: _payer, ...source }: PolicySource): PolicySource {
  if (source.listeners === undefined) return source;
  const doors = Object.entries(source.listeners).map(([name, door]) => [name, { ...door, port: 0 }] as const);
  return { ...source, listeners: Object.fromEntries(doors) };
}
