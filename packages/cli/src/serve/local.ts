import { loadPolicy, type Place, type ServeOptions, servePolicy } from "@wardline/gateway";
import { CliError } from "../exit.ts";
import type { LocalFacts, ServedHere } from "./facts.ts";

/** Runs the edge of a policy file in this process. What was approved is the file; the port and this process's files are not. */
export async function serveHere(file: string, facts: LocalFacts, options: ServeOptions): Promise<ServedHere> {
  const { policy } = await loadPolicy(file);
  if (policy.development !== true && options.keysFile === undefined) {
    throw new CliError(
      "name the public keys of those who may approve a policy with --keys, or set `development: true`",
    );
  }
  const place: Place = {
    ...(facts.port === undefined ? {} : { port: facts.port }),
    ...(facts.worker === undefined ? {} : { instance: `${policy.audit.instance ?? "edge"}-${facts.worker}` }),
  };
  const served = await servePolicy(file, { ...options, place });
  const { url, port, adminPort, gateway, reload } = served;
  return {
    reload,
    close: () => served.close(),
    ready: {
      url,
      port,
      ...(adminPort === undefined ? {} : { adminPort }),
      policyVersion: gateway.policyVersion,
      development: policy.development === true,
    },
  };
}
