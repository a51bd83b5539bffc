/** Names whose values are credentials: gone whatever they hold, at any depth, in any spelling. */
const SECRET_NAMES: ReadonlySet<string> = new Set(
  [
    "access_token",
    "api_key",
    "apikey",
    "assertion",
    "authorization",
    "bearer",
    "client_assertion",
    "client_secret",
    "code_verifier",
    "cookie",
    "cookies",
    "credentials",
    "dpop",
    "id_token",
    "jwt",
    "passphrase",
    "password",
    "passwd",
    "private_key",
    "proxy_authorization",
    "refresh_token",
    "saml_response",
    "secret",
    "session",
    "session_id",
    "set_cookie",
    "sid",
    "token",
    "x_api_key",
    "x_csrf_token",
    "x_forwarded_client_cert",
    "x_vault_token",
  ].map(plain),
);

/** Names whose values are PHI in a plain object: what is not in a FHIR resource has no type to tell. */
const PHI_NAMES: ReadonlySet<string> = new Set(
  [
    "address",
    "birth_date",
    "birthdate",
    "date_of_birth",
    "dob",
    "email",
    "family",
    "family_name",
    "first_name",
    "full_name",
    "given",
    "given_name",
    "last_name",
    "mbi",
    "medical_record_number",
    "mrn",
    "patient_name",
    "phone",
    "phone_number",
    "postal_code",
    "social_security_number",
    "ssn",
    "surname",
    "telecom",
    "telephone",
    "zip",
    "zip_code",
  ].map(plain),
);

/** `accessToken`, `access-token` and `ACCESS_TOKEN` are one name. */
function plain(name: string): string {
  return name.replace(/[^A-Za-z0-9]/g, "").toLowerCase();
}

export function isSecretName(name: string): boolean {
  const bare = plain(name);
  return SECRET_NAMES.has(bare) || SECRET_ENDING.test(bare);
}
const SECRET_ENDING = /(?:token|secret|password|passwd|apikey|privatekey|assertion|cookie|authorization)$/;

/** Not of a name that was masked itself. */
export function isPhiName(name: string): boolean {
  return !name.startsWith("[") && PHI_NAMES.has(plain(name));
}

/** Credentials in running text, by their shape or by what stands before them. */
export function withoutSecrets(text: string): string {
  if (text.length < 8 || !SECRET_LIKELY.test(text)) return text;
  let clean = text;
  if (clean.includes("eyJ")) clean = clean.replace(JWT, REMOVED);
  if (SCHEME_LIKELY.test(clean)) clean = clean.replace(SCHEME, `$1 ${REMOVED}`);
  if (HEADER_LIKELY.test(clean)) clean = clean.replace(COOKIE, `$1${REMOVED}`);
  if (clean.includes("=") || clean.includes(":")) clean = clean.replace(ASSIGNED, `$1${REMOVED}`);
  if (clean.includes("-----BEGIN")) clean = clean.replace(PEM, REMOVED);
  return clean;
}

/** One look that spares most texts the rest. Holds a part of everything below. */
const SECRET_LIKELY =
  /eyJ|bearer|basic|dpop|digest|negotiate|cookie|authorization|api[_-]?key|token|secret|assertion|passw|verifier|sid|-----BEGIN/i;
export const REMOVED = "[removed]";
/** Compact JWS and JWE, also when the end was cut off: a header alone is not secret, what follows it is. */
const JWT = /eyJ[\w-]{2,}(?:\.[\w-]*){0,4}/g;
const SCHEME_LIKELY = /bearer|basic|dpop|digest|negotiate/i;
const SCHEME = /(?<!\w)(bearer|basic|dpop|digest|negotiate)[ :]+(?!realm|error)[\w.~+/=-]{6,}/gi;
const HEADER_LIKELY = /cookie|authorization|x-api-key/i;
const COOKIE =
  /(?<!\w)((?:set-)?cookie2?["']?\s{0,4}[:=]\s{0,4}|(?:proxy-)?authorization["']?\s{0,4}[:=]\s{0,4}|x-api-key["']?\s{0,4}[:=]\s{0,4})[^\r\n"]+/gi;
const ASSIGNED =
  /(?<![A-Za-z0-9])((?:access|refresh|id|client|session|csrf|auth)?[_-]?(?:token|secret|assertion|password|passwd|api[_-]?key|verifier|sid)["']?\s{0,4}[=:]\s{0,4}["']?)(?!\[removed\])[^\s"'&,;}\]]+/gi;
const PEM = /-----BEGIN [A-Z ]{3,40}-----(?:(?!-----END )[\s\S])*(?:-----END [A-Z ]{3,40}-----)?/g;
