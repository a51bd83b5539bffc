import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { clientErrorHandler } from "@wardline/perimeter";
import type { PolicyDocument } from "@wardline/policy-types";
import type { Express } from "express";
import { openAdmin } from "./admin.ts";
import { assemble } from "./assemble.ts";
import { openAudit } from "./audit.ts";
import { watchHealth } from "./health.ts";
import { type GatewayDependencies, parseDependencies } from "./options.ts";
import { checkPolicy } from "./policy/load.ts";
import { openUpstream, type Upstream } from "./proxy/upstream.ts";
import { openServer } from "./server.ts";

export interface Gateway {
  /** The assembled pipeline, for a server of your own. */
  readonly app: Express;
  /** Hash of the policy in force. */
  readonly policyVersion: string;
  /**
   * Starts the gateway's own server on `policy.listen`, and the operator's on `policy.admin` when there is one. When it
   * cannot, it rejects and everything is closed.
   */
  listen(): Promise<{ readonly url: string; readonly port: number; readonly adminPort?: number }>;
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
  const { now, onEvent } = dependencies;
  const audit = await openAudit({ policy: checked.policy, given: dependencies.audit, now, onEvent });
  const upstreams = new Map<string, Upstream>();
  try {
    for (const [name, upstream] of Object.entries(checked.policy.upstreams)) {
      upstreams.set(name, openUpstream(name, upstream));
    }
    const health = watchHealth({
      policyVersion: checked.version,
      upstreams: [...upstreams.keys()],
      ledgerState: () => audit.ledger.state(),
      now,
      onEvent,
    });
    const app = assemble({ checked, audit, upstreams, health, dependencies });
    const { host = "127.0.0.1", port = 8080 } = checked.policy.listen ?? {};
    const admin = openAdmin(health);
    const server = openServer(app, clientErrorHandler, {
      maxHeaderBytes: 16_384,
      headersTimeoutMs: 10_000,
      requestTimeoutMs: 60_000,
    });
    let closing: Promise<void> | undefined;
    const close = (): Promise<void> => {
      closing ??= (async () => {
        health.draining();
        await server.drain(dependencies.drainMs);
        admin.closeAllConnections();
        admin.close();
        await Promise.all([...upstreams.values()].map((upstream) => upstream.close()));
        await audit.end();
      })();
      return closing;
    };
    const start = async (): ReturnType<Gateway["listen"]> => {
      await audit.begin(checked.version);
      const { admin: adminAt } = checked.policy;
      const adminPort = adminAt === undefined ? undefined : await listenAdmin(admin, adminAt);
      const address = await server.listen(port, host);
      if (checked.policy.development === true) {
        onEvent({
          level: "warn",
          code: "gateway/development",
          message: "development: plain http is permitted on loopback addresses",
        });
      }
      const shown = address.family === "IPv6" ? `[${address.address}]` : address.address;
      return {
        url: `http://${shown}:${address.port}`,
        port: address.port,
        ...(adminPort === undefined ? {} : { adminPort }),
      };
    };
    return {
      app,
      policyVersion: checked.version,
      async listen() {
        try {
          return await start();
        } catch (error) {
          await close();
          throw error;
        }
      },
      close,
    };
  } catch (error) {
    await audit.end();
    throw error;
  }
}

function listenAdmin(
  server: Server,
  { host = "127.0.0.1", port }: NonNullable<PolicyDocument["admin"]>,
): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
  });
}
