/** From whom, and what of the record. What is absent is not limited: `{}` withholds everything from everyone. */
export interface Withheld {
  /** `client_id` */
  readonly client?: string;
  readonly organisation?: string;
  /** Name of a data category, see `categories`. */
  readonly category?: string;
}

/** Whom consent is asked for. */
export interface ConsentCaller {
  readonly clientId?: string;
  readonly organisation?: string;
}

/** What one document (a Consent resource) says at present, in place of what it said before. */
export interface ConsentRecord {
  /** Names the document: `Consent/1`. */
  readonly source: string;
  /** Bare id. */
  readonly patient: string;
  /** Nothing: the document withholds no more. */
  readonly withheld: readonly Withheld[];
}

/**
 * What patients withhold. Every change has reached the store when its promise resolves, and every instance within the
 * bound of its cache, before the next answer and within the answers that are being sent (A10).
 */
export interface ConsentRegistry {
  revoke(patient: string, withheld: Withheld): Promise<void>;
  /** Takes exactly this revocation back. */
  restore(patient: string, withheld: Withheld): Promise<void>;
  record(record: ConsentRecord): Promise<void>;
  /** The document is gone, and withholds no more. */
  forget(source: string): Promise<void>;
  /** What is withheld from a caller. Rejects when that cannot be found out (F8). */
  view(caller: ConsentCaller): Promise<ConsentView>;
}

/** Live: it changes with the registry, while an answer is being sent. Throws once it cannot know any more. */
export interface ConsentView {
  /** False: nobody withholds anything from this caller. */
  withholdsAny(): boolean;
  /** Everything, or the categories named. */
  withheldBy(patient: string): "all" | readonly string[];
}
