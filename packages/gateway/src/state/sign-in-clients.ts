import { ConfigurationError, type PolicyDocument } from "@wardline/policy-types";
import { type ClientKeys, clientRegistry } from "@wardline/smart-auth";
import { readEach, readText, wrongForm } from "./read.ts";

/**
 * Reads the key sets of clients that do not publish theirs.
 *
 * @throws {ConfigurationError} when a file cannot be read, or is no set of public keys
 */
export async function readSignInClients({ signIn, development }: PolicyDocument): Promise<readonly ClientKeys[]> {
  const clients = await readEach(
    (signIn?.clients ?? []).map(({ clientId, jwks, jwksUri }, index) => async (): Promise<ClientKeys> => {
      if (jwks === undefined) return { clientId, ...(jwksUri === undefined ? {} : { jwksUri }) };
      const path = `signIn.clients[${index}].jwks`;
      return { clientId, jwks: keySetOf(await readText(jwks, path), path) };
    }),
  );
  try {
    clientRegistry({ clients, development: development === true });
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    const issues = error.issues.map((issue) => ({ ...issue, path: `signIn.${issue.path}` }));
    throw new ConfigurationError("the policy's secrets and files", issues);
  }
  return clients;
}

function keySetOf(text: string, path: string): NonNullable<ClientKeys["jwks"]> {
  try {
    return JSON.parse(text) as NonNullable<ClientKeys["jwks"]>;
  } catch {
    throw wrongForm(path, "names a file that is no JSON");
  }
}
