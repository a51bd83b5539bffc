import { openLedger } from "@wardline/audit-event";
import { clientErrorHandler } from "@wardline/perimeter";
import type { PolicyDocument } from "@wardline/policy-types";
import type { Express } from "express";
import { assemble } from "./assemble.ts";
import { type GatewayDependencies, parseDependencies } from "./options.ts";
import { checkPolicy } from "./policy/load.ts";
import { openUpstream, type Upstream } from "./proxy/upstream.ts";
import { openServer } from "./server.ts";

export interface Gateway {
  /** The assembled pipeline, for a server of your own. */
  readonly app: Express;
  /** Hash of the policy in force. */
  readonly policyVersion: string;
  /** Starts the gateway's own server on `policy.listen`. */
  listen(): Promise<{ readonly url: string; readonly port: number }>;
  /** Stops accepting, lets answers in work end, flushes the audit ledger; in bounded time (F15). */
  close(): Promise<void>;
}

/**
 * Assembles every control and the upstream proxy from one policy.
 *
 * @throws {ConfigurationError} with every mistake of the policy at once
 * @throws {DependencyError} when the audit ledger cannot be opened
 */
export async function createGateway(policy: PolicyDocument, given: GatewayDependencies = {}): Promise<Gateway> {
  const dependencies = parseDependencies(given);
  const checked = checkPolicy(policy);
  const ledger = await openLedger({ folder: checked.policy.audit.folder, now: dependencies.now });
  const upstreams = new Map<string, Upstream>();
  try {
    for (const [name, upstream] of Object.entries(checked.policy.upstreams)) {
      upstreams.set(name, openUpstream(name, upstream));
    }
    const app = assemble({ checked, ledger, upstreams, dependencies });
    const { host = "127.0.0.1", port = 8080 } = checked.policy.listen ?? {};
    const server = openServer(app, clientErrorHandler, {
      maxHeaderBytes: 16_384,
      headersTimeoutMs: 10_000,
      requestTimeoutMs: 60_000,
    });
    let closing: Promise<void> | undefined;
    return {
      app,
      policyVersion: checked.version,
      async listen() {
        const address = await server.listen(port, host);
        if (checked.policy.development === true) {
          dependencies.onEvent({
            level: "warn",
            code: "gateway/development",
            message: "development: plain http is permitted on loopback addresses",
          });
        }
        const shown = address.family === "IPv6" ? `[${address.address}]` : address.address;
        return { url: `http://${shown}:${address.port}`, port: address.port };
      },
      close() {
        closing ??= (async () => {
          await server.drain(dependencies.drainMs);
          await Promise.all([...upstreams.values()].map((upstream) => upstream.close()));
          await ledger.close();
        })();
        return closing;
      },
    };
  } catch (error) {
    await ledger.close();
    throw error;
  }
}
