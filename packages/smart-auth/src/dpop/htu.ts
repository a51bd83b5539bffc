const UNRESERVED = /[A-Za-z0-9\-._~]/;

/**
 * A target URI without query and fragment, normalised by RFC 3986 sections 6.2.2 and 6.2.3; `undefined` for what is no
 * http or https URI.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9449#section-4.3
 */
export function normaliseHtu(uri: string): string | undefined {
  // The URL parser forgives what RFC 3986 does not know: backslashes, spaces, control characters.
  if (!/^https?:\/\/[!#-;=?-[\]_a-z~]+$/i.test(uri) || !URL.canParse(uri)) return undefined;
  const url = new URL(uri);
  if (url.username !== "" || url.password !== "") return undefined;
  const path = url.pathname.replaceAll(/%[0-9A-Fa-f]{2}/g, (triplet) => {
    const character = String.fromCharCode(Number.parseInt(triplet.slice(1), 16));
    return UNRESERVED.test(character) ? character : triplet.toUpperCase();
  });
  return `${url.origin}${path}`;
}
