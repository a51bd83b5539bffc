import { DependencyError } from "@wardline/policy-types";

/**
 * For `onCheckpoint`: posts each checkpoint as text to a place the ledger's writer cannot change. Any answer but 2xx is
 * a failure; redirects are not followed.
 */
export function postCheckpoint(
  url: string | URL,
  {
    headers = {},
    deadlineMs = 5000,
  }: { readonly headers?: Readonly<Record<string, string>>; readonly deadlineMs?: number } = {},
): (note: string) => Promise<void> {
  const target = new URL(url);
  return async (note) => {
    const response = await fetch(target, {
      method: "POST",
      headers: { "Content-Type": "text/plain; charset=utf-8", ...headers },
      body: note,
      redirect: "error",
      signal: AbortSignal.timeout(deadlineMs),
    });
    await response.body?.cancel();
    if (!response.ok) {
      const message = `the witness answered ${response.status}`;
      throw new DependencyError("audit-event/witness-refused", message, { retryable: true });
    }
  };
}
