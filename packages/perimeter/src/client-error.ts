import { randomUUID } from "node:crypto";
import { type ServerResponse, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { Problem } from "@wardline/policy-types";
import { OPERATION_OUTCOME_MEDIA_TYPE, renderOperationOutcome } from "@wardline/policy-types/express";
import { NO_STORE, securityHeaders } from "./answer-headers.ts";
import { problemOf } from "./problems.ts";

const PROBLEM_BY_CODE: ReadonlyMap<string | undefined, Problem> = new Map([
  ["HPE_HEADER_OVERFLOW", problemOf("header-bytes")],
  ["ERR_HTTP_REQUEST_TIMEOUT", problemOf("request-timeout")],
]);

/** How long a client may take to read why it was refused, in milliseconds. */
const LINGER_MS = 1000;

type HttpSocket = Duplex & { readonly _httpMessage?: ServerResponse | null };

/**
 * For `server.on("clientError", clientErrorHandler)`: answers what Node could not read as a request with an
 * OperationOutcome (400, 408, 431) and closes the connection. Node's own answer has no body and no security headers.
 *
 * Does NOT answer when the connection owes an answer to an earlier request, which the client would take this for: it is
 * then cut. Leaves no access record, because there was no request.
 *
 * @see https://nodejs.org/api/http.html#event-clienterror
 */
export function clientErrorHandler(error: NodeJS.ErrnoException, socket: Duplex): void {
  // What the client still sends after its refusal is as unreadable as before: answered once is enough.
  if (socket.writableEnded) return;
  // RFC 9112 section 9.6: what comes after the connection's last request is no request, and the answer under way closes.
  // One piece is passed over; who goes on would be read without any limit for as long as the answer takes.
  if (error.code === "HPE_CLOSED_CONNECTION" && owesAnswer(socket) && !PASSED_OVER.has(socket)) {
    PASSED_OVER.add(socket);
    return;
  }
  if (!socket.writable || error.code === "ECONNRESET" || owesAnswer(socket)) {
    socket.destroy();
    return;
  }
  socket.end(renderAnswer(PROBLEM_BY_CODE.get(error.code) ?? problemOf("request-unreadable")));
  // Closing at once would reset the connection while the client is still sending, and the answer would be lost.
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  timer.unref();
  socket.once("close", () => clearTimeout(timer));
}

const PASSED_OVER = new WeakSet<Duplex>();

/** Node keeps the response in progress on its socket. An answer to a request whose own body is broken is still ours to give. */
function owesAnswer(socket: HttpSocket): boolean {
  const pending = socket._httpMessage;
  return pending !== undefined && pending !== null && (pending.headersSent || pending.req.complete);
}

function renderAnswer(problem: Problem): Buffer {
  const body = JSON.stringify(renderOperationOutcome(problem));
  const headers: Readonly<Record<string, string>> = {
    ...securityHeaders(),
    ...NO_STORE,
    "content-type": OPERATION_OUTCOME_MEDIA_TYPE,
    "content-length": String(Buffer.byteLength(body)),
    "x-request-id": randomUUID(),
    connection: "close",
  };
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}\r\n${head.join("")}\r\n${body}`);
}
