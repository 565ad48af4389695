/** A refusal as Azure words it. */
export class AzureRefusal extends Error {
  readonly status: number;
  readonly code: string;
  /** Sent along as Retry-After, in seconds. */
  readonly retryAfter: number | undefined;

  constructor(status: number, code: string, message = 'No.', retryAfter?: number) {
    super(message);
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

export interface AzureBlobRules {
  /** Every delete and replacement leaves a previous version. */
  readonly versioned: boolean;
  /** Without versions, a replaced content stays as a soft-deleted snapshot and a deleted blob as it is. */
  readonly softDelete: boolean;
  /**
   * Container-level immutability: while `active` only new blobs; once `expired` they may be deleted, still not
   * replaced.
   */
  readonly retention: 'none' | 'active' | 'expired';
  /** An identity that may only add blobs: replacing is 403 UnauthorizedBlobOverwrite, whatever the condition says. */
  readonly addOnly: boolean;
  /** Conditions that are ignored, as by servers that do not know them. */
  readonly ignores: readonly ('If-None-Match' | 'If-Match' | 'If-Match on DELETE')[];
}

/** One content of a name. */
export interface AzureContent {
  readonly bytes: Uint8Array;
  /** With its quotes, as headers carry it. */
  readonly etag: string;
  /** A time that no other content has. */
  readonly id: string;
  readonly is: 'current' | 'version' | 'deleted' | 'snapshot' | 'deleted snapshot' | 'deleted version';
}

/** Headers of a write that matter here. */
export interface AzureConditions {
  readonly ifMatch?: string | undefined;
  readonly ifNoneMatch?: string | undefined;
}

/**
 * One container, as Azure keeps it: the newest content of a name last. Nothing in here waits, so every change is
 * atomic.
 */
export class AzureBlobModel {
  /** A test may change the rules on the way. */
  rules: AzureBlobRules;
  readonly #names = new Map<string, AzureContent[]>();
  #made = 0;

  constructor(rules: AzureBlobRules) {
    this.rules = rules;
  }

  current(name: string): AzureContent | undefined {
    return this.#names.get(name)?.find(({ is }) => is === 'current');
  }

  /** Put Blob. */
  put(name: string, bytes: Uint8Array, { ifMatch, ifNoneMatch }: AzureConditions): AzureContent {
    const { ignores, retention, addOnly } = this.rules;
    const there = this.current(name);
    if (there && addOnly)
      throw new AzureRefusal(
        403,
        'UnauthorizedBlobOverwrite',
        'This request is not authorized to perform blob overwrites.',
      );
    if (there && ifNoneMatch !== undefined && !ignores.includes('If-None-Match'))
      throw new AzureRefusal(409, 'BlobAlreadyExists', 'The specified blob already exists.');
    if (ifMatch !== undefined && !ignores.includes('If-Match') && !matches(there, ifMatch)) throw unmet();
    if (there && retention !== 'none') throw immutable();
    return this.plant(name, bytes);
  }

  /** Delete Blob, of the blob itself. */
  delete(name: string, { ifMatch }: AzureConditions): void {
    const there = this.current(name);
    if (!there) throw absent();
    if (ifMatch !== undefined && !this.rules.ignores.includes('If-Match on DELETE') && !matches(there, ifMatch))
      throw unmet();
    if (this.rules.retention === 'active') throw immutable();
    this.hide(name);
  }

  /** Writes whatever the conditions and the rules say: what another tool, or an attacker, did. */
  plant(name: string, bytes: Uint8Array): AzureContent {
    this.#retire(name, 'deleted snapshot');
    this.#made += 1;
    const made = this.#made.toString(16).toUpperCase().padStart(9, '0');
    const id = `2026-10-01T00:00:00.${String(this.#made).padStart(7, '0')}Z`;
    const content: AzureContent = { bytes: Uint8Array.from(bytes), etag: `"0x8DE${made}"`, id, is: 'current' };
    this.#names.set(name, [...(this.#names.get(name) ?? []), content]);
    return content;
  }

  /** Takes the current blob away, whatever the rules say. */
  hide(name: string): void {
    this.#retire(name, 'deleted');
  }

  /** Somebody takes a snapshot. */
  snapshot(name: string): void {
    const there = this.current(name);
    if (!there) throw absent();
    this.#names.set(name, [{ ...there, is: 'snapshot' }, ...(this.#names.get(name) ?? [])]);
  }

  /** Somebody deletes all previous versions of a name; soft delete keeps them. */
  purge(name: string): void {
    const kept = (this.#names.get(name) ?? []).map((one): AzureContent =>
      one.is === 'version' ? { ...one, is: 'deleted version' } : one,
    );
    this.#names.set(name, this.rules.softDelete ? kept : kept.filter(({ is }) => is !== 'deleted version'));
  }

  /** Names with a prefix in the order of their UTF-8 bytes, each with its contents, oldest first. */
  all(prefix: string): readonly { readonly name: string; readonly contents: readonly AzureContent[] }[] {
    const names = [...this.#names.keys()]
      .filter((name) => name.startsWith(prefix))
      .toSorted((one, two) => Buffer.compare(Buffer.from(one), Buffer.from(two)));
    return names.map((name) => ({ name, contents: this.#names.get(name) ?? [] }));
  }

  /** What becomes of the content that stands, and of a soft-deleted blob whose name is used again. */
  #retire(name: string, without: 'deleted' | 'deleted snapshot'): void {
    const { versioned, softDelete } = this.rules;
    const kept = (this.#names.get(name) ?? []).flatMap((one): AzureContent[] => {
      if (one.is === 'deleted') return [{ ...one, is: 'deleted snapshot' }];
      if (one.is !== 'current') return [one];
      if (versioned) return [{ ...one, is: 'version' }];
      return softDelete ? [{ ...one, is: without }] : [];
    });
    this.#names.set(name, kept);
  }
}

function matches(there: AzureContent | undefined, ifMatch: string): boolean {
  return there !== undefined && (ifMatch === '*' || ifMatch === there.etag);
}

/** What a read or a delete meets where no blob is. */
export function absent(): AzureRefusal {
  return new AzureRefusal(404, 'BlobNotFound', 'The specified blob does not exist.');
}

function unmet(): AzureRefusal {
  return new AzureRefusal(
    412,
    'ConditionNotMet',
    'The condition specified using HTTP conditional header(s) is not met.',
  );
}

function immutable(): AzureRefusal {
  return new AzureRefusal(
    409,
    'BlobImmutableDueToPolicy',
    'This operation is not permitted as the blob is immutable due to a policy.',
  );
}
