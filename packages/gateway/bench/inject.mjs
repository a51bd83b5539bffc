// Requests put into an Express app without a socket: what is left is the work of the app itself.
import { generateKeyPairSync, sign } from "node:crypto";
import http from "node:http";
import { Duplex } from "node:stream";
import { edgeClasses } from "@wardline/policy-types/express";
import { BASE } from "./fixtures.mjs";

const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });

/** An issuer whose key set is served; `close` ends it. */
export async function openIssuer() {
  const keys = [{ ...publicKey.export({ format: "jwk" }), kid: "1", alg: "ES256", use: "sig" }];
  const server = http.createServer((_req, res) => res.end(JSON.stringify({ keys })));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

export function tokenFor(issuer, claims) {
  const now = Math.floor(Date.now() / 1000);
  const own = { iss: issuer, aud: BASE, sub: "u", client_id: "app", iat: now, exp: now + 3000, jti: "1" };
  const text = [
    { alg: "ES256", kid: "1", typ: "at+jwt" },
    { ...own, scope: "user/*.cruds", fhirUser: "Practitioner/p1", ...claims },
  ]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".");
  return `${text}.${sign("sha256", Buffer.from(text), { key: privateKey, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
}

/** Takes what is written and gives nothing. */
class Sink extends Duplex {
  remoteAddress = "127.0.0.1";
  setTimeout() {}
  _read() {}
  _write(_chunk, _encoding, done) {
    done();
  }
  _writev(_chunks, done) {
    done();
  }
}

/** Asks the app; resolves when its answer has ended, and rejects when it is not a 200. */
export function injector(app) {
  const { IncomingMessage, ServerResponse } = edgeClasses(app);
  return (url, token) =>
    new Promise((resolve, reject) => {
      const socket = new Sink();
      const req = new IncomingMessage(socket);
      Object.assign(req, { method: "GET", url, httpVersion: "1.1", httpVersionMajor: 1, httpVersionMinor: 1 });
      const headers = { host: "127.0.0.1", authorization: `Bearer ${token}` };
      req.rawHeaders = Object.entries(headers).flat();
      req.headers = headers;
      const res = new ServerResponse(req);
      res.assignSocket(socket);
      res.once("finish", () => {
        res.detachSocket(socket);
        process.nextTick(() => {
          res.emit("close");
          if (res.statusCode === 200) resolve();
          else reject(new Error(`${url} answered ${res.statusCode}`));
        });
      });
      req.push(null);
      app(req, res);
    });
}
