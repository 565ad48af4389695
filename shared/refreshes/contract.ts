/** What a consumer is told: which credential changed and by which rotation. Never the value. */
export interface RefreshNews {
  readonly credential: string;
  readonly rotation: string;
  /** Where the new value can be read, without the value. */
  readonly secrets: readonly { readonly store: string; readonly secret: string }[];
}

/**
 * One way to tell consumers to read their secret again, between publishing and draining. It may be called again for the
 * same rotation after a crash: receivers see the same rotation twice and do the same. Errors: unreachable, denied,
 * throttled, uncertain, rejected (the receiver answered that it cannot).
 */
export interface Refresh {
  /** Tells the receiver; answers once it has acknowledged. */
  poke(news: RefreshNews): Promise<void>;
}
