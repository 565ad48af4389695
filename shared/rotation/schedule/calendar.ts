/** A stretch of time that comes again and again. */
export interface Window {
  /** A cron pattern: when it opens. */
  readonly opens: string;
  /** How long it is open, in milliseconds. */
  readonly lastsMs: number;
}

/** When rotations of one credential may begin by themselves; people and emergencies wait for none of it. */
export interface Calendar {
  /** A cron pattern: when a rotation is due. Left out: `everyMs` after the last one ended. */
  readonly pattern?: string;
  /** The IANA time zone of the pattern and of the windows. */
  readonly timeZone: string;
  /** A rotation begins only while one of them is open. Empty: always. */
  readonly windows: readonly Window[];
  /** Spreads what is due at once over so many milliseconds, each credential by its name; 0 does not. */
  readonly jitterMs: number;
}
