import { parseScopes, type ResourceScope } from "../scopes.ts";

/**
 * What of a token's scopes counts: not the wildcards, where they are refused, and only as far as an approved scope goes.
 * The result never reaches beyond the token or beyond the approval.
 *
 * @param approved absent: there is no registry
 */
export function approvedScopes(
  granted: readonly string[],
  {
    approved,
    refuseWildcards,
  }: { readonly approved?: readonly ResourceScope[] | undefined; readonly refuseWildcards: boolean },
): readonly ResourceScope[] {
  const scopes = parseScopes(granted).filter(({ type }) => !(refuseWildcards && type === "*"));
  if (approved === undefined) return scopes;
  return scopes.flatMap((scope) => approved.flatMap((limit) => intersection(scope, limit) ?? []));
}

function intersection(scope: ResourceScope, limit: ResourceScope): ResourceScope | undefined {
  if (scope.context !== limit.context) return undefined;
  if (scope.type !== "*" && limit.type !== "*" && scope.type !== limit.type) return undefined;
  const letters = scope.letters.filter((letter) => limit.letters.includes(letter));
  if (letters.length === 0) return undefined;
  return Object.freeze({
    // Names both: whoever reads the record sees what the token asked for and what held it back.
    text: scope.text === limit.text ? scope.text : `${scope.text} within ${limit.text}`,
    context: scope.context,
    type: scope.type === "*" ? limit.type : scope.type,
    letters: Object.freeze(letters),
    filter: Object.freeze([...scope.filter, ...limit.filter]),
  });
}
