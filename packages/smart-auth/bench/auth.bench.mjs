// What it costs to know a caller: a token seen before, decided whole (authenticated and authorised, no I/O), and a token seen for the
// first time beside the bare signature check of jose. Medians count.
import { parseInteraction } from "@wardline/fhir-r4";
import { exportJWK, generateKeyPair, jwtVerify, SignJWT } from "jose";
import { compiled } from "../../../scripts/compiled.mjs";
import { unlessQuick } from "../../../scripts/quick.mjs";

const [{ createAuthenticator }, { createAuthority }, { decideAccess }, { parseOptions }, { createProblems }] =
  await compiled(
    import.meta.url,
    "../src/authenticate.ts",
    "../src/authority.ts",
    "../src/decide.ts",
    "../src/options.ts",
    "../src/token-problems.ts",
  );

const ISSUER = "https://as.example.org";
const BASE = "https://fhir.example.org/fhir";
const REPEATS = unlessQuick(20_000, 20);
const FIRST_SEEN = unlessQuick(4000, 20);
const WARM_UP = unlessQuick(1000, 10);

const now = Math.floor(Date.now() / 1000);
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const micros = (nanos) => (nanos / 1000).toFixed(1);

async function signer(alg) {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid: alg, alg, use: "sig" };
  const sign = (jti, claims = {}) =>
    new SignJWT({ client_id: "app-1", scope: "patient/*.rs launch/patient", patient: "p1", ...claims })
      .setProtectedHeader({ alg, kid: alg, typ: "at+jwt" })
      .setIssuer(ISSUER)
      .setAudience(BASE)
      .setSubject("user-1")
      .setJti(jti)
      .setIssuedAt(now)
      .setExpirationTime(now + 3000)
      .sign(privateKey);
  return { alg, jwk, publicKey, sign };
}

const signers = await Promise.all(["ES256", "RS256"].map(signer));

function edge(policy = {}) {
  const settings = parseOptions({
    issuers: [{ issuer: ISSUER, audience: [BASE], jwksUri: `${ISSUER}/jwks` }],
    baseUrl: BASE,
    fetch: async () =>
      new Response(JSON.stringify({ keys: signers.map(({ jwk }) => jwk) }), {
        headers: { "content-type": "application/json" },
      }),
    ...policy,
  });
  const problems = createProblems(BASE);
  const authenticate = createAuthenticator(settings, problems);
  const authorise = createAuthority(settings);
  const credentials = (token) => ({
    rawHeaders: ["Host", "fhir.example.org", "Accept", "application/fhir+json", "Authorization", `Bearer ${token}`],
    query: "_count=50",
    transport: { peerAddress: "192.0.2.7" },
    method: "GET",
    uri: `${BASE}/Observation`,
  });
  return {
    authenticate: (token) => authenticate(credentials(token)),
    async decide(token, interaction) {
      const given = credentials(token);
      const caller = await authenticate(given);
      if (caller.kind === "deny") throw new Error(caller.because.join());
      const facts = { caller: caller.grant, interaction, rawHeaders: given.rawHeaders, address: "192.0.2.7", problems };
      const authorised = await authorise(facts);
      if (authorised.kind === "deny") throw new Error(authorised.because.join());
      const { rights, rule, caller: principal } = authorised.grant;
      const access = await decideAccess({ interaction, principal, rights, route: settings.route, problems, rule });
      if (access.kind === "deny") throw new Error(access.because.join());
    },
  };
}

const search = () => parseInteraction({ method: "GET", path: "/Observation", query: "_count=50" });
const read = parseInteraction({ method: "GET", path: "/Observation/o1", query: "" });

async function repeat(label, policy, interactionOf) {
  const { decide } = edge(policy);
  const token = await signers[0].sign("repeat", { roles: ["nurse"], acr: "mfa", auth_time: now });
  for (let at = 0; at < unlessQuick(5000); at++) await decide(token, interactionOf());
  const times = [];
  for (let at = 0; at < REPEATS; at++) {
    const interaction = interactionOf();
    const started = process.hrtime.bigint();
    await decide(token, interaction);
    times.push(Number(process.hrtime.bigint() - started));
  }
  const sorted = times.toSorted((a, b) => a - b);
  const wanted = median(times) < 15_000 ? "" : "  (wanted: under 15)";
  console.log(
    `  ${label.padEnd(52)} median ${micros(median(times))} us, p99 ${micros(sorted[Math.floor(REPEATS * 0.99)])} us${wanted}`,
  );
}

console.log("a repeat token, decided:");
await repeat("read, scopes only", {}, () => read);
await repeat("search, scopes only", {}, search);
await repeat(
  "read, with registry, rules, hours and network",
  {
    clients: [{ clientId: "app-1", scopes: ["patient/Observation.rs"] }],
    conditions: [
      { id: "staff", effect: "require", when: { roles: ["nurse"], acr: ["mfa"], maxAuthAgeSeconds: 3600 } },
      { id: "outside", effect: "deny", when: { networks: ["10.0.0.0/8"] } },
      { id: "open", effect: "permit", when: { hours: { timeZone: "America/Chicago", from: "00:00", to: "24:00" } } },
    ],
  },
  () => read,
);

async function timed(token, work) {
  const started = process.hrtime.bigint();
  await work(token);
  return Number(process.hrtime.bigint() - started);
}

console.log("\na token seen for the first time, one at a time:");
for (const { alg, publicKey, sign } of signers) {
  const { authenticate } = edge();
  const bare = async (token) =>
    void (await jwtVerify(token, publicKey, { algorithms: [alg], issuer: ISSUER, audience: BASE, typ: "at+jwt" }));
  const whole = async (token) => {
    if ((await authenticate(token)).kind === "deny") throw new Error("refused");
  };
  const figures = { jose: [], wardline: [] };
  // Token by token, so that a busy machine falls on both alike.
  for (let at = 0; at < FIRST_SEEN; at++) {
    const token = await sign(`${alg} ${at}`);
    for (const name of at % 2 === 0 ? ["jose", "wardline"] : ["wardline", "jose"]) {
      const time = await timed(token, name === "jose" ? bare : whole);
      if (at >= WARM_UP) figures[name].push(time);
    }
  }
  const [jose, wardline] = [median(figures.jose), median(figures.wardline)];
  const ratio = wardline / jose;
  const wanted = ratio <= 1.5 ? "" : "  (wanted: at most 1.50)";
  console.log(`  ${alg}: jose ${micros(jose)} us, wardline ${micros(wardline)} us, ratio ${ratio.toFixed(2)}${wanted}`);
}
