import { createHash } from 'node:crypto';

/** A refusal as S3 words it. */
export class S3Refusal extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** How the bucket is set up. */
export interface S3Rules {
  /** Every delete and replacement leaves the version before; implied by `locked`. */
  readonly versioned: boolean;
  /** Object Lock with a default retention: no version can be removed. It does not hinder delete markers. */
  readonly locked: boolean;
  /**
   * The bucket's policy. `create-only`: PutObject without If-None-Match and every DeleteObject are denied.
   * `conditional-only`: PutObject without a condition is denied.
   */
  readonly policy?: 'create-only' | 'conditional-only' | undefined;
  /** Conditions that are ignored, as by stores that do not know them. */
  readonly ignores: readonly ('If-None-Match' | 'If-Match' | 'If-Match on DELETE')[];
}

/** One state of one key that the bucket keeps. */
export interface S3Version {
  readonly id: string;
  /** Undefined: a delete marker. */
  readonly bytes: Uint8Array | undefined;
  readonly etag: string;
}

/** Headers of a write that matter here. */
export interface S3Conditions {
  readonly ifMatch?: string | undefined;
  readonly ifNoneMatch?: string | undefined;
}

/** One bucket, as S3 keeps it: the newest version of a key last. Nothing in here waits, so every change is atomic. */
export class S3Model {
  readonly rules: S3Rules;
  readonly #keys = new Map<string, S3Version[]>();
  #made = 0;

  constructor(rules: S3Rules) {
    this.rules = rules;
  }

  /** The current object, or undefined where there is none or a delete marker. */
  current(key: string): (S3Version & { readonly bytes: Uint8Array }) | undefined {
    const newest = this.#keys.get(key)?.at(-1);
    return newest?.bytes ? { ...newest, bytes: newest.bytes } : undefined;
  }

  /** PutObject. */
  put(key: string, bytes: Uint8Array, { ifMatch, ifNoneMatch }: S3Conditions): S3Version {
    const { policy, ignores } = this.rules;
    if (policy === 'create-only' && ifNoneMatch === undefined) throw denied('s3:PutObject');
    if (policy === 'conditional-only' && ifNoneMatch === undefined && ifMatch === undefined)
      throw denied('s3:PutObject');
    const there = this.current(key);
    if (ifNoneMatch !== undefined && !ignores.includes('If-None-Match') && there) throw failed('If-None-Match');
    if (ifMatch !== undefined && !ignores.includes('If-Match')) this.#mustMatch(there, ifMatch);
    return this.plant(key, bytes);
  }

  /** DeleteObject without a version: with versions it only puts a delete marker on top. */
  delete(key: string, { ifMatch }: S3Conditions): void {
    if (this.rules.policy === 'create-only') throw denied('s3:DeleteObject');
    if (ifMatch !== undefined && !this.rules.ignores.includes('If-Match on DELETE'))
      this.#mustMatch(this.current(key), ifMatch);
    this.hide(key);
  }

  /** DeleteObject of one version: what retention refuses. */
  erase(key: string): void {
    if (this.rules.locked)
      throw new S3Refusal(403, 'AccessDenied', 'Access Denied because object protected by object lock.');
    this.#keys.delete(key);
  }

  /** Puts a version on top whatever the conditions and the policy say: what another tool, or an attacker, did. */
  plant(key: string, bytes: Uint8Array): S3Version {
    const etag = createHash('md5').update(bytes).digest('hex');
    return this.#push(key, { id: this.#nextId(), bytes: Uint8Array.from(bytes), etag });
  }

  /** Takes the current object away, whatever the policy says. */
  hide(key: string): void {
    if (this.#isVersioned()) this.#push(key, { id: this.#nextId(), bytes: undefined, etag: '' });
    else this.#keys.delete(key);
  }

  /** Keys with a prefix in the order of their UTF-8 bytes, each with its versions, newest first. */
  all(prefix: string): readonly { readonly key: string; readonly versions: readonly S3Version[] }[] {
    const keys = [...this.#keys.keys()]
      .filter((key) => key.startsWith(prefix))
      .toSorted((one, two) => Buffer.compare(Buffer.from(one), Buffer.from(two)));
    return keys.map((key) => ({ key, versions: (this.#keys.get(key) ?? []).toReversed() }));
  }

  #mustMatch(there: S3Version | undefined, ifMatch: string): void {
    if (!there) throw new S3Refusal(404, 'NoSuchKey', 'The specified key does not exist.');
    if (ifMatch !== `"${there.etag}"` && ifMatch !== '*') throw failed('If-Match');
  }

  #push(key: string, version: S3Version): S3Version {
    this.#keys.set(key, this.#isVersioned() ? [...(this.#keys.get(key) ?? []), version] : [version]);
    return version;
  }

  #isVersioned(): boolean {
    return this.rules.versioned || this.rules.locked;
  }

  #nextId(): string {
    this.#made += 1;
    return this.#isVersioned() ? `v${String(this.#made).padStart(8, '0')}` : 'null';
  }
}

function denied(action: string): S3Refusal {
  return new S3Refusal(
    403,
    'AccessDenied',
    `User: arn:aws:iam::111122223333:role/lockkeeper is not authorized to perform: ${action} with an explicit deny in a resource-based policy`,
  );
}

function failed(condition: string): S3Refusal {
  return new S3Refusal(
    412,
    'PreconditionFailed',
    `At least one of the pre-conditions you specified did not hold: ${condition}`,
  );
}
