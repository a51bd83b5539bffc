/** After a failure nobody asks for this long, in milliseconds; then one does. */
const PAUSE_MS = 500;

/** Asks a store, or says at once that it is not asked now. */
export type Ask = <Answer>(question: () => Promise<Answer>) => Promise<Answer>;

/**
 * F5: a breaker before a store, so that an outage costs one deadline and not one for each request, and what cannot be answered does
 * not gather in the store's client. Requires questions that end by themselves (F1).
 */
export function createPause(notAsked: () => Error): Ask {
  let isDown = false;
  let isProbing = false;
  let askAgainAt = 0;

  return async function ask(question) {
    const isProbe = isDown;
    if (isProbe && (isProbing || performance.now() < askAgainAt)) throw notAsked();
    isProbing = isProbe;
    try {
      const answer = await question();
      isDown = false;
      return answer;
    } catch (error) {
      isDown = true;
      askAgainAt = performance.now() + PAUSE_MS;
      throw error;
    } finally {
      if (isProbe) isProbing = false;
    }
  };
}
