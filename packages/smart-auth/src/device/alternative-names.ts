import type { X509Certificate } from "node:crypto";
import { readDer, readOnly, TAG } from "./der.ts";

/** What a subject alternative name can be told by here. */
export type NameKind = "uri" | "dns" | "email";

/** 2.5.29.17 */
const SUBJECT_ALT_NAME = Buffer.from("551d11", "hex");
/** RFC 5280 section 4.2.1.6: context tags of GeneralName. */
const TAGS: Readonly<Record<NameKind, number>> = { email: 0x81, dns: 0x82, uri: 0x86 };

/**
 * The subject alternative names of one kind, read from the certificate itself: a printed form would have to be taken apart
 * again, and a name may hold whatever separates names there. Throws when they cannot be read.
 *
 * @see https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.6
 */
export function alternativeNames(certificate: X509Certificate, kind: NameKind): readonly string[] {
  const [body] = readDer(readOnly(certificate.raw, TAG.sequence).content);
  const extensions = readDer(body?.content ?? Buffer.alloc(0)).find(({ tag }) => tag === TAG.extensions);
  if (extensions === undefined) return [];
  const found = readDer(readOnly(extensions.content, TAG.sequence).content).flatMap((extension) => {
    const parts = readDer(extension.content);
    return parts[0]?.content.equals(SUBJECT_ALT_NAME) === true ? [parts.at(-1)?.content ?? Buffer.alloc(0)] : [];
  });
  const [names] = found;
  if (names === undefined) return [];
  if (found.length > 1) throw new Error("an extension is repeated");
  return readDer(readOnly(names, TAG.sequence).content)
    .filter(({ tag }) => tag === TAGS[kind])
    .map(({ content }) => content.toString("latin1"));
}
