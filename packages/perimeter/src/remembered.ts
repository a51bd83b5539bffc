const MOST_REMEMBERED = 512;
const LONGEST_REMEMBERED = 256;

/**
 * Judges a text once: what clients send again and again (User-Agent, Accept, names of parameters) is remembered with its
 * verdict, a few hundred of them, the oldest forgotten first. Requires a judge that always says the same of a text.
 */
export function remembering<Verdict>(judge: (text: string) => Verdict): (text: string) => Verdict {
  const remembered = new Map<string, Verdict>();

  return function judgeOnce(text) {
    if (text.length > LONGEST_REMEMBERED) return judge(text);
    const known = remembered.get(text);
    if (known !== undefined || remembered.has(text)) return known as Verdict;
    const verdict = judge(text);
    if (remembered.size >= MOST_REMEMBERED) remembered.delete(remembered.keys().next().value as string);
    remembered.set(text, verdict);
    return verdict;
  };
}
