import type { Problem, SignInRecord } from "@wardline/policy-types";
import { contextOf, readBody, recordDecision, requireControls, sendProblem } from "@wardline/policy-types/express";
import {
  certificateReader,
  clientRegistry,
  findAssertedClient,
  refuseLegacyGrants,
  requireClientAssertion,
} from "@wardline/smart-auth";
import { type RequestHandler, Router } from "express";
import type { Parts } from "../parts.ts";
import { NO_ROUTE, SIGN_IN_METHOD, TOKEN_QUERY } from "../problems.ts";
import { forwardSignIn } from "./forward.ts";
import type { SignInPlaces } from "./places.ts";

const MIB = 1024 * 1024;
const FORM_BYTES = 64 * 1024;
const CONTROL = "sign-in";
const ALWAYS = ["audit-event", "perimeter"] as const;

/** What stands before the authorisation server, in order: spelling, limits, grants, the client's proof, the server. */
export function signInStages(parts: Parts, places: SignInPlaces): Router {
  const { checked, dependencies, health, shared, throttles, monitor } = parts;
  const { policy } = checked;
  const upstream = parts.upstreams.get(places.policy.upstream);
  if (upstream === undefined) throw new Error("the policy was not checked before assembly");
  const limits = throttles.signIn(policy);
  const { assertions = "listed", assertionAlgorithms, assertionAudience } = places.policy;
  const proveClient = requireClientAssertion({
    audience: assertionAudience ?? [places.urlOf("token") ?? ""],
    findClient: clientRegistry({
      clients: parts.material.signInClients,
      fetch: dependencies.fetch,
      now: dependencies.now,
      development: policy.development === true,
      onKeys: ({ issuer: client, kind, failures }) => {
        if (kind === "fetched" && failures === 0) return;
        dependencies.onEvent({
          level: kind === "fetched" ? "info" : "warn",
          code: "gateway/client-keys",
          message: "the keys of a client changed their state",
          facts: { client, state: kind, failures },
        });
      },
    }),
    replayStore: shared.replayStore,
    ...(assertionAlgorithms === undefined ? {} : { algorithms: assertionAlgorithms }),
    others: assertions === "all" ? "refuse" : "pass",
    now: dependencies.now,
  });

  const router = Router({ caseSensitive: true, strict: true });
  router.use(onlyEndpoints);
  router.use(nameTheClient);
  const sends = only(({ endpoint }, method) => endpoint !== "other" || method === "POST");
  router.use(sends(limits.address));
  for (const endpoint of ["authorization", "token"] as const) {
    router.use(only((signIn) => signIn.endpoint === endpoint)(refuseLegacyGrants(endpoint)));
  }
  const atToken = only(({ endpoint }) => endpoint === "token");
  router.use(atToken(proveClient), provedClient);
  if (monitor !== undefined) router.use(monitor.atSignIn);
  if (limits.client !== undefined) router.use(sends(limits.client));
  router.use(
    only(({ endpoint }) => endpoint !== "other")(requireControls([...ALWAYS, "tiered-throttle", "smart-auth"])),
  );
  router.use(requireControls(ALWAYS));
  const requestBodyBytes = policy.limits?.requestBodyBytes ?? MIB;
  const { publicOrigin, clientCertificateHeader, trustedProxies = [] } = policy;
  const certificateOf = certificateReader(
    clientCertificateHeader === undefined ? undefined : { ...clientCertificateHeader, trustedProxies },
  );
  const options = { upstream, publicOrigin, certificateOf, requestBodyBytes, health };
  router.use((req, res) => forwardSignIn(req, res, options));
  return router;
}

/** A stage for some of the requests. */
function only(meant: (signIn: SignInRecord, method: string) => boolean): (stage: RequestHandler) => RequestHandler {
  return (stage) =>
    function onlySome(req, res, next) {
      const { signIn, method } = contextOf(req);
      if (signIn === undefined || !meant(signIn, method)) return next();
      return stage(req, res, next);
    };
}

const METHODS: Readonly<Partial<Record<SignInRecord["endpoint"], readonly string[]>>> = {
  /** RFC 6749 section 3.1 */
  authorization: ["GET", "POST"],
  /** RFC 6749 section 3.2 */
  token: ["POST"],
};

const onlyEndpoints: RequestHandler = function onlyEndpoints(req, res, next) {
  const { signIn, method, originalUrl } = contextOf(req);
  if (signIn === undefined) return sendProblem(res, NO_ROUTE);
  const methods = METHODS[signIn.endpoint];
  if (methods !== undefined && !methods.includes(method)) {
    return refuse({ ...SIGN_IN_METHOD, headers: { Allow: methods.join(", ") } }, "a method the endpoint does not have");
  }
  // RFC 6749 section 2.3.1: credentials in a URL end up in logs.
  if (signIn.endpoint === "token" && originalUrl.includes("?")) return refuse(TOKEN_QUERY, "parameters in the URL");
  recordDecision(req, { control: CONTROL, kind: "permit", because: [`the ${signIn.endpoint} endpoint`] });
  next();

  function refuse(problem: Problem, why: string): void {
    recordDecision(req, { control: CONTROL, kind: "deny", because: [why], code: problem.code });
    sendProblem(res, problem);
  }
};

/** So that a refusal says who was refused. */
const nameTheClient: RequestHandler = async function nameTheClient(req, res, next) {
  const context = contextOf(req);
  const { signIn } = context;
  if (signIn === undefined || signIn.endpoint === "other") return next();
  const body = await readBody(req, { limitBytes: FORM_BYTES });
  if (body.kind === "deny") {
    // Here and now: whoever reads on would take the rest for all of it.
    const { problem, because } = body;
    recordDecision(req, { control: CONTROL, kind: "deny", because, code: problem.code });
    return sendProblem(res, problem);
  }
  const [, query = ""] = context.originalUrl.split(/\?(.*)/s);
  const form = new URLSearchParams(body.grant.form ?? query);
  const clientId = form.get("client_id") ?? basicUser(req.headers.authorization);
  const grantType = GRANTS.find((grant) => grant === form.get("grant_type"));
  context.signIn = {
    ...signIn,
    ...(clientId !== undefined && CLIENT_ID.test(clientId) ? { clientId } : {}),
    ...(grantType === undefined ? {} : { grantType }),
  };
  next();
};

const GRANTS = ["authorization_code", "refresh_token", "client_credentials", "password"] as const;
/** Ids as servers make them, URLs among them; what is none of these may be anything a client typed (A14). */
const CLIENT_ID = /^[A-Za-z0-9._~:/-]{1,128}$/;

function basicUser(authorization = ""): string | undefined {
  const [, encoded = ""] = /^basic +(\S+)$/i.exec(authorization) ?? [];
  return /^([^:]+):/.exec(Buffer.from(encoded, "base64").toString("utf8"))?.[1];
}

const provedClient: RequestHandler = function provedClient(req, _res, next) {
  const context = contextOf(req);
  const clientId = findAssertedClient(req)?.clientId;
  if (clientId !== undefined && context.signIn !== undefined) {
    const { issuer } = context.signIn;
    context.principal = {
      method: "client-assertion",
      issuer,
      subject: clientId,
      clientId,
      roles: [],
      purposeOfUse: [],
      launch: {},
      scopes: [],
    };
    context.signIn = { ...context.signIn, clientId };
  }
  next();
};
