import { type ErrorRequestHandler, type RequestHandler, Router, urlencoded } from "express";
import type Provider from "oidc-provider";
import { type App, appOf, grantable } from "./apps.ts";

/** Who may sign in. */
export interface Person {
  /** Id of the Patient resource, and the account's name. */
  readonly id: string;
  readonly name: string;
}

interface SignInOptions {
  readonly people: readonly Person[];
  /** What the granted scopes are for. */
  readonly fhirBase: string;
}

/** The page on which the user says who they are and what the app may see. No script, no style sheet from elsewhere. */
export function signIn(provider: Provider, options: SignInOptions): Router {
  const router = Router();
  router.get("/interaction/:uid", showPage(provider, options));
  router.post("/interaction/:uid", urlencoded({ extended: false }), decide(provider, options));
  return router;
}

function showPage(provider: Provider, { people }: SignInOptions): RequestHandler {
  return async function showSignIn(req, res) {
    const { params } = await provider.interactionDetails(req, res);
    const app = appOf(text(params["client_id"]));
    res.set({
      "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
      "Cache-Control": "no-store",
    });
    res.type("html").send(page(app.name, scopesFor(app, params), people));
  };
}

function decide(provider: Provider, { people, fhirBase }: SignInOptions): RequestHandler {
  return async function decideSignIn(req, res) {
    const { params } = await provider.interactionDetails(req, res);
    const form = req.body as Record<string, unknown>;
    const person = people.find(({ id }) => id === form["patient"]);
    if (form["answer"] !== "allow" || person === undefined) {
      const refusal = { error: "access_denied", error_description: "the user did not allow it" };
      return provider.interactionFinished(req, res, refusal, { mergeWithLastSubmission: false });
    }
    const app = appOf(text(params["client_id"]));
    const scopes = scopesFor(app, params);
    const grant = new provider.Grant({ accountId: person.id, clientId: app.id });
    grant.addOIDCScope(scopes.filter((scope) => !scope.includes("/")).join(" "));
    grant.addResourceScope(fhirBase, scopes.join(" "));
    const result = { login: { accountId: person.id }, consent: { grantId: await grant.save() } };
    return provider.interactionFinished(req, res, result, { mergeWithLastSubmission: false });
  };
}

function scopesFor(app: App, params: Record<string, unknown>): readonly string[] {
  return grantable(app, text(params["scope"]));
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function page(app: string, scopes: readonly string[], people: readonly Person[]): string {
  const choices = people.map(
    ({ id, name }, index) =>
      `<p><label><input type="radio" name="patient" value="${escapeHtml(id)}"${index === 0 ? " checked" : ""}> ` +
      `${escapeHtml(name)} <small>Patient/${escapeHtml(id)}</small></label></p>`,
  );
  const asked = scopes.map((scope) => `<li><code>${escapeHtml(scope)}</code></li>`);
  return `<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Sign in</title>
<style>body { font: 1.1rem/1.5 system-ui; max-width: 34rem; margin: 3rem auto; padding: 0 1rem }</style>
<h1>Sign in</h1>
<form method="post">
<fieldset><legend>Who are you?</legend>${choices.join("")}</fieldset>
<p>${escapeHtml(app)} asks for:</p>
<ul>${asked.join("")}</ul>
<button name="answer" value="allow">Sign in and allow</button>
<button name="answer" value="deny">Deny</button>
</form>
</html>`;
}

export function refusalPage(what: string, why: string): string {
  return `<!DOCTYPE html>\n<title>Refused</title>\n<h1>${escapeHtml(what)}</h1>\n<p>${escapeHtml(why)}</p>\n`;
}

/** A sign-in that was never begun, or has been finished. Nothing of the error is shown. */
export const tellRefusal: ErrorRequestHandler = (error: { readonly status?: number }, _req, res, _next) => {
  const status = error.status ?? 500;
  res.status(status).type("html").send(refusalPage("This page cannot be shown", "Begin again in your app."));
};

function escapeHtml(plain: string): string {
  return plain.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
