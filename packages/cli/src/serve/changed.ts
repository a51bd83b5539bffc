import { join } from "node:path";
import { type CheckedPolicy, checkPolicy, createGateway, loadPolicy, type ServeOptions } from "@wardline/gateway";
import type { PolicySource } from "@wardline/policy-types";
import { CliError } from "../exit.ts";
import { approvedUntil, standInFor } from "./approval.ts";
import type { LocalFacts, ServedHere } from "./facts.ts";
import { follow } from "./follow.ts";

/**
 * Runs the edge of a policy file on another port or as one of several processes. The approval is checked over the file's
 * content, as its approvers signed it; what is changed here is the port and where this process writes its audit log, and
 * the gateway gets a statement of this process over the changed content that ends when the approval ends.
 *
 * The audit log names the changed content's version; the ready line the approved one.
 */
export async function serveChanged(file: string, facts: LocalFacts, options: ServeOptions): Promise<ServedHere> {
  const {
    signatureFile = `${file}.sig`,
    keysFile,
    minimumSignatures,
    watch: follows = true,
    ...dependencies
  } = options;
  const own = await standInFor();
  let written: string | undefined;

  const read = async () => {
    const approved = await loadPolicy(file);
    const changed = checkPolicy(withFacts(approved, facts));
    written = changed.version;
    if (approved.policy.development === true) return { approved, changed };
    const trust = { signatureFile, keysFile, minimumSignatures };
    const until = await approvedUntil(approved.version, trust, dependencies.now ?? Date.now);
    return { approved, changed, signature: await own.sign(changed, until) };
  };

  const first = await read();
  const gateway = await createGateway(first.changed.source, {
    ...dependencies,
    ...(first.signature === undefined ? {} : { signature: first.signature }),
  });
  gateway.noteFileVersion(written);
  const { url, port, adminPort } = await gateway.listen();

  const reload = async (): Promise<void> => {
    written = undefined;
    // What was wrong has been told, as an event and in the ledger.
    await gateway
      .reload(async () => {
        const { changed, signature } = await read();
        return { policy: changed.source, ...(signature === undefined ? {} : { signature }) };
      })
      .catch(() => undefined);
    gateway.noteFileVersion(written);
  };
  const watchers = follows ? [file, signatureFile].map((path) => follow(path, () => void reload())) : [];

  return {
    reload,
    async close() {
      for (const watcher of watchers) watcher?.close();
      await gateway.close();
    },
    ready: {
      url,
      port,
      ...(adminPort === undefined ? {} : { adminPort }),
      policyVersion: first.approved.version,
      development: first.approved.policy.development === true,
    },
  };
}

/** One ledger, one folder, one process; one journal of usage figures, one process. */
function withFacts({ source, policy }: CheckedPolicy, { port, worker }: LocalFacts): PolicySource {
  const listen = port === undefined ? {} : { listen: { ...source.listen, port } };
  if (worker === undefined) return { ...source, ...listen };
  if (source.consent?.file !== undefined && source.redis === undefined) {
    throw new CliError(
      "several processes cannot keep consents in one file; name a `redis`, or serve without --workers",
    );
  }
  const instance = `${policy.audit.instance ?? "edge"}-${worker}`;
  const { usage } = source;
  return {
    ...source,
    ...listen,
    audit: { ...source.audit, instance, folder: join(policy.audit.folder, instance) },
    ...(usage === undefined ? {} : { usage: { ...usage, file: `${usage.file}.${instance}` } }),
  };
}
