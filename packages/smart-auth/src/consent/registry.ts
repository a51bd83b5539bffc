/** From whom, and what of the record. What is absent is not limited: `{}` withholds everything from everyone. */
export interface Withheld {
  /** `client_id` */
  readonly client?: string;
  readonly organisation?: string;
  /** Name of a data category, see `categories`. */
  readonly category?: string;
}

/** To whom, and what: what needs consent besides every other right. What is absent is not limited. */
export interface Permitted {
  /** `client_id` */
  readonly client?: string;
  readonly organisation?: string;
  /** Name of a category that is kept back unless the patient agrees: `substance-use`. */
  readonly category: string;
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
  /** What it agrees to. `consentFromResource` never says so: whoever may write a Consent could else open a record. */
  readonly permitted?: readonly Permitted[];
}

/**
 * What patients withhold, and what they agree to. Every change has reached the store when its promise resolves, and every instance within the
 * bound of its cache, before the next answer and within the answers that are being sent (A10).
 */
export interface ConsentRegistry {
  revoke(patient: string, withheld: Withheld): Promise<void>;
  /** Takes exactly this revocation back. */
  restore(patient: string, withheld: Withheld): Promise<void>;
  /** The patient agreed. Opens nothing by itself: role and purpose are asked for elsewhere. */
  permit(patient: string, permitted: Permitted): Promise<void>;
  /** Ends exactly this permission. */
  withdraw(patient: string, permitted: Permitted): Promise<void>;
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
  /** Did this patient agree that this caller has this category, and withholds it no more than before? */
  permits(patient: string, category: string): boolean;
}
