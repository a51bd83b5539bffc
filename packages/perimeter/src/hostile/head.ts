import type { RequestFacts } from "../facts.ts";
import { headerInspector } from "./header-rules.ts";
import { type HostileFinding, inspectParameters, inspectPath } from "./inspect.ts";
import type { ParsedHostileOptions } from "./options.ts";
import { type Signal, signalReader } from "./signals.ts";

export interface HeadFindings {
  readonly found: readonly HostileFinding[];
  readonly signals: readonly Signal[];
}

export type InspectHead = (
  request: Pick<RequestFacts, "target" | "headers">,
  passes: (header: string) => boolean,
) => HeadFindings;

/** Looks at path, query and the headers that handlers will see. */
export function headInspector(policy: ParsedHostileOptions): InspectHead {
  const { rules } = policy;
  const inspectHeaders = headerInspector(rules);
  const readSignals = signalReader();

  return function inspectHead({ target, headers }, passes) {
    const mark = target.indexOf("?");
    const found = inspectPath(mark === -1 ? target : target.slice(0, mark), rules);
    const probes = found.some(({ rule }) => rule.startsWith("probe/"));
    if (mark !== -1) found.push(...inspectParameters(target.slice(mark + 1), "parameter", policy));
    found.push(...inspectHeaders(headers, passes));
    return { found, signals: readSignals(headers, probes) };
  };
}
