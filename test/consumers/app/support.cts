import crypto = require("node:crypto");
import http = require("node:http");
import net = require("node:net");

/** A key set on loopback and tokens signed with it: what a consumer's own OAuth server would give. */
export async function startIssuer(audience: string): Promise<{ url: string; token: () => string; close: () => void }> {
  const { publicKey, privateKey } = crypto.generateKeyPairSync("ec", { namedCurve: "P-256" });
  const jwk = { ...publicKey.export({ format: "jwk" }), kid: "1", alg: "ES256", use: "sig" };
  const server = http.createServer((_req, res) => {
    res.setHeader("Content-Type", "application/json");
    res.end(JSON.stringify({ keys: [jwk] }));
  });
  const url = await listen(server);
  return {
    url,
    token: () => {
      const now = Math.floor(Date.now() / 1000);
      const claims = { iss: url, aud: audience, sub: "u", client_id: "app", iat: now, exp: now + 60, jti: "1" };
      const text = [
        { alg: "ES256", kid: "1", typ: "at+jwt" },
        { ...claims, patient: "a", scope: "patient/*.rs" },
      ]
        .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
        .join(".");
      const signature = crypto.sign("sha256", Buffer.from(text), { key: privateKey, dsaEncoding: "ieee-p1363" });
      return `${text}.${signature.toString("base64url")}`;
    },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

export function listen(server: http.Server): Promise<string> {
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve(`http://127.0.0.1:${(server.address() as net.AddressInfo).port}`));
  });
}

/** Asks a guarded app for its own record, somebody else's, and one without a token; throws when an answer is not as told. */
export async function proveGuarded(url: string, token: string): Promise<void> {
  const bearer = { headers: { authorization: `Bearer ${token}` } };
  const expected: [path: string, init: RequestInit, status: number][] = [
    ["/fhir/Patient/a", bearer, 200],
    ["/fhir/Patient/b", bearer, 404],
    ["/fhir/Patient/a", {}, 401],
    ["/fhir/Patient%2fa", bearer, 400],
  ];
  for (const [path, init, status] of expected) {
    const response = await fetch(url + path, init);
    const body = (await response.json()) as { resourceType?: string; id?: string };
    const type = status === 200 ? "Patient" : "OperationOutcome";
    if (response.status !== status || body.resourceType !== type) {
      throw new Error(`${path}: ${response.status} ${JSON.stringify(body)}, expected ${status} ${type}`);
    }
  }
}
