import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";

/** What the socket says, before anything the client wrote is believed. */
export interface TransportFacts {
  readonly encrypted: boolean;
  /** Address of the connected peer, IPv4-mapped IPv6 written as IPv4. */
  readonly peerAddress?: string;
  /** The client's certificate, if one was presented and verified by the TLS layer. */
  readonly clientCertificate?: { readonly subject: string; readonly fingerprint256: string; readonly raw: Buffer };
}

/** All requests of a connection have one peer. One that has gone already has no address, and is not asked again. */
export function readTransport({ socket }: IncomingMessage): TransportFacts {
  const known = TRANSPORTS.get(socket);
  if (known !== undefined) return known;
  const facts = transportOf(socket as TLSSocket);
  if (facts.peerAddress !== undefined) TRANSPORTS.set(socket, facts);
  return facts;
}

const TRANSPORTS = new WeakMap<Socket, TransportFacts>();

function transportOf(socket: TLSSocket): TransportFacts {
  const encrypted = socket.encrypted === true;
  const peerAddress = socket.remoteAddress?.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, "");
  const certificate = encrypted && socket.authorized ? socket.getPeerX509Certificate() : undefined;
  const facts: { -readonly [Key in keyof TransportFacts]: TransportFacts[Key] } = { encrypted };
  if (peerAddress !== undefined) facts.peerAddress = peerAddress;
  if (certificate !== undefined) {
    const { subject, fingerprint256, raw } = certificate;
    facts.clientCertificate = Object.freeze({ subject, fingerprint256, raw });
  }
  return Object.freeze(facts);
}
