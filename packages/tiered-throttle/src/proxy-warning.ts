import type { IncomingMessage } from "node:http";
import { contextOf } from "@wardline/policy-types/express";

/** Tells once when a request that says it was forwarded is about to be charged to the address it came from: its proxy's. */
export function proxyWarning(): (req: IncomingMessage, address: string | undefined) => void {
  let warned = false;
  return (req, address) => {
    if (warned || !isForwarded(req) || address !== contextOf(req).transport.peerAddress) return;
    warned = true;
    process.emitWarning(
      "forwarded requests are counted by their proxy's address, all of them together: mount perimeter() with `trustedProxies` " +
        "before, or give `addressOf`",
      { code: "WARDLINE_PROXY_UNKNOWN" },
    );
  };
}

function isForwarded({ headers }: IncomingMessage): boolean {
  return headers["x-forwarded-for"] !== undefined || headers.forwarded !== undefined;
}
