/** How long the audit log cannot be deleted, and by whom. */
export interface LogSettings {
  /**
   * `governance`: people with s3:BypassGovernanceRetention still can; for trying out. `compliance`: nobody can before
   * the time is over, the account's root included, and nobody can take that back.
   */
  readonly retention: 'governance' | 'compliance';
  /** Days, 1 to 36500. */
  readonly retentionDays: number;
  /** How long replaced versions of state are kept, in days. */
  readonly stateVersionDays: number;
  /** ARNs (with * and ?) of those whom the log's own policy does not hinder to delete; retention still does. */
  readonly logKeepers: readonly string[];
  /**
   * What signs the log. `kms`: a key that is made here and never leaves KMS. `elsewhere`: a key file, or the KMS of
   * another cloud.
   */
  readonly signingKey: 'kms' | 'elsewhere';
}

/**
 * Settings from the CDK context: logRetention (governance), logRetentionDays (1), stateVersionDays (30), logKeepers
 * (nobody; ARNs joined by commas), signingKey (elsewhere). Throws for anything else than what can be; compliance has to
 * be chosen in words, together with its days.
 */
export function readSettings(context: (key: string) => unknown): LogSettings {
  const retention = context('logRetention') ?? 'governance';
  if (retention !== 'governance' && retention !== 'compliance') {
    throw new RangeError(`logRetention is ${JSON.stringify(retention)}; say governance or compliance`);
  }
  const days = context('logRetentionDays');
  if (retention === 'compliance' && days === undefined) {
    throw new RangeError('logRetention is compliance, which nobody can take back: say logRetentionDays too');
  }
  return {
    retention,
    retentionDays: wholeDays('logRetentionDays', days ?? 1),
    stateVersionDays: wholeDays('stateVersionDays', context('stateVersionDays') ?? 30),
    logKeepers: arns(context('logKeepers') ?? ''),
    signingKey: signingKeyOf(context('signingKey') ?? 'elsewhere'),
  };
}

function signingKeyOf(value: unknown): LogSettings['signingKey'] {
  if (value === 'kms' || value === 'elsewhere') return value;
  throw new RangeError(`signingKey is ${JSON.stringify(value)}; say kms or elsewhere`);
}

function wholeDays(key: string, value: unknown): number {
  const days = Number(value);
  if (!Number.isInteger(days) || days < 1 || days > 36_500)
    throw new RangeError(`${key} is ${JSON.stringify(value)}; say whole days, 1 to 36500`);
  return days;
}

function arns(value: unknown): readonly string[] {
  const parts = typeof value === 'string' ? value.split(',').filter((part) => part !== '') : [value];
  return parts.map((part) => {
    if (typeof part === 'string' && /^arn:[a-z-]+:(iam|sts)::\d{12}:[A-Za-z0-9+=,.@_/*?-]+$/.test(part)) return part;
    throw new RangeError(`logKeepers holds ${JSON.stringify(part)}; say ARNs of IAM, each with its account`);
  });
}
