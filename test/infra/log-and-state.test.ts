import { describe, expect, test } from '@jest/globals';
import { synthesise, type Resource, type Synthesised } from './synth.ts';

const keeper = 'arn:aws:iam::123456789012:role/log-keeper';
const refusals = [
  [{ logRetention: 'complience' }, 'say governance or compliance'],
  [{ logRetention: 'compliance' }, 'say logRetentionDays too'],
  [{ logRetentionDays: 0 }, 'say whole days'],
  [{ logRetentionDays: 'a year' }, 'say whole days'],
  [{ stateVersionDays: 1.5 }, 'say whole days'],
  [{ logKeepers: '*' }, 'say ARNs of IAM'],
  [{ logKeepers: 7 }, 'say ARNs of IAM'],
  [{ signingKey: 'file' }, 'say kms or elsewhere'],
] as const;
const [plain, compliance, kept, longer, signing, ...refused] = synthesise([
  {},
  { logRetention: 'compliance', logRetentionDays: '400' },
  { logKeepers: keeper },
  { stateVersionDays: 90 },
  { signingKey: 'kms' },
  ...refusals.map(([context]) => context),
]);

/** The resources of one type whose logical id begins with `id`. */
function resources(from: Synthesised | undefined, type: string, id = ''): readonly Resource[] {
  if (!from || !('template' in from)) throw new Error(`no template: ${JSON.stringify(from)}`);
  return Object.entries(from.template.Resources).flatMap(([name, one]) =>
    one.Type === type && name.startsWith(id) ? [one] : [],
  );
}

/** The one bucket whose logical id begins with `id`. */
function bucket(from: Synthesised | undefined, id: string): Resource {
  const [found, ...others] = resources(from, 'AWS::S3::Bucket', id);
  if (!found || others.length > 0) throw new Error(`not exactly one bucket ${id}`);
  return found;
}

/** The statements of the policy of the bucket whose logical id begins with `id`. */
function statements(from: Synthesised | undefined, id: string): unknown {
  const [policy] = resources(from, 'AWS::S3::BucketPolicy', id);
  expect(policy?.Properties['PolicyDocument']).toBeDefined();
  return policy?.Properties['PolicyDocument'];
}

/** A policy that holds this statement, word for word but for the resource. */
function withDeny(sid: string, statement: Readonly<Record<string, unknown>>): unknown {
  const whole = { Sid: sid, Effect: 'Deny', Principal: { AWS: '*' }, Resource: expect.anything(), ...statement };
  return expect.objectContaining({ Statement: expect.arrayContaining([whole]) });
}

const deletes = [
  's3:DeleteObject',
  's3:DeleteObjectVersion',
  's3:BypassGovernanceRetention',
  's3:PutObjectRetention',
  's3:PutObjectLegalHold',
];

describe('the log bucket', () => {
  test('is locked in governance for one day unless somebody says otherwise', () => {
    expect(bucket(plain, 'Log').Properties).toMatchObject({
      ObjectLockEnabled: true,
      ObjectLockConfiguration: {
        ObjectLockEnabled: 'Enabled',
        Rule: { DefaultRetention: { Mode: 'GOVERNANCE', Days: 1 } },
      },
    });
  });

  test('is locked in compliance where that is chosen in words, with its days', () => {
    expect(bucket(compliance, 'Log').Properties).toMatchObject({
      ObjectLockConfiguration: { Rule: { DefaultRetention: { Mode: 'COMPLIANCE', Days: 400 } } },
    });
  });

  test('refuses every write that could replace an object', () => {
    expect(statements(plain, 'Log')).toEqual(
      withDeny('CreateOnly', { Action: 's3:PutObject', Condition: { Null: { 's3:if-none-match': 'true' } } }),
    );
  });

  test('refuses to delete, to hide, and to go round retention, to everybody', () => {
    expect(statements(plain, 'Log')).toEqual(withDeny('NoDeletes', { Action: deletes }));
  });

  test('hinders only the named keepers less', () => {
    const condition = { ArnNotLike: { 'aws:PrincipalArn': [keeper] } };
    expect(statements(kept, 'Log')).toEqual(withDeny('NoDeletes', { Action: deletes, Condition: condition }));
  });

  test('has no rule that removes objects', () => {
    expect(bucket(plain, 'Log').Properties).not.toHaveProperty('LifecycleConfiguration');
  });
});

describe('the state bucket', () => {
  test('keeps replaced versions for a while and has no lock', () => {
    const rule = {
      Id: 'old-versions',
      Status: 'Enabled',
      NoncurrentVersionExpiration: { NoncurrentDays: 90 },
      ExpiredObjectDeleteMarker: true,
    };
    const { Properties: properties } = bucket(longer, 'State');
    expect(properties).toMatchObject({ LifecycleConfiguration: { Rules: expect.arrayContaining([rule]) } });
    expect(properties).not.toHaveProperty('ObjectLockEnabled');
    expect(properties).not.toHaveProperty('ObjectLockConfiguration');
  });

  test('refuses writes without a condition', () => {
    const condition = { Null: { 's3:if-none-match': 'true', 's3:if-match': 'true' } };
    expect(statements(plain, 'State')).toEqual(
      withDeny('ConditionalOnly', { Action: 's3:PutObject', Condition: condition }),
    );
  });
});

describe.each(['Log', 'State'])('the bucket %s', (id) => {
  test('is private, versioned, encrypted with keys of S3, and outlives the stack', () => {
    expect(bucket(plain, id)).toMatchObject({
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: {
        VersioningConfiguration: { Status: 'Enabled' },
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: true,
          BlockPublicPolicy: true,
          IgnorePublicAcls: true,
          RestrictPublicBuckets: true,
        },
        BucketEncryption: {
          ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
        },
        OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
      },
    });
  });

  test('speaks TLS 1.2 or later and nothing else', () => {
    const deny = (condition: unknown) =>
      expect.objectContaining({ Effect: 'Deny', Action: 's3:*', Condition: condition });
    const both = [
      deny({ Bool: { 'aws:SecureTransport': 'false' } }),
      deny({ NumericLessThan: { 's3:TlsVersion': 1.2 } }),
    ];
    expect(statements(plain, id)).toMatchObject({ Statement: expect.arrayContaining(both) });
  });
});

/**
 * The statements of the policy for roles whose logical id begins with `id`, each as `Sid: actions`, and by their Sid.
 */
function granted(from: Synthesised | undefined, id: string) {
  const [policy] = resources(from, 'AWS::IAM::ManagedPolicy', id);
  if (!policy) throw new Error(`no policy ${id}`);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the form of every policy
  const { Statement: all } = policy.Properties['PolicyDocument'] as { readonly Statement: readonly Grant[] };
  const actions = all.flatMap((one) => [one.Action].flat());
  return { actions: [...new Set(actions)].toSorted(), sid: (name: string) => all.find((one) => one.Sid === name) };
}

interface Grant {
  readonly Sid: string;
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Condition?: unknown;
}

describe('the policy for functions', () => {
  const { actions, sid } = granted(plain, 'Writer');

  test('lets them create in the log, and nothing that replaces, deletes or unlocks there', () => {
    expect(sid('CreateInLog')).toMatchObject({
      Effect: 'Allow',
      Action: 's3:PutObject',
      Condition: { Null: { 's3:if-none-match': 'false' } },
    });
    expect(actions).toEqual([
      's3:DeleteObject',
      's3:GetObject',
      's3:ListBucket',
      's3:ListBucketVersions',
      's3:PutObject',
    ]);
    expect(JSON.stringify(sid('DeleteInState'))).toMatch(/"State/);
    expect(JSON.stringify(sid('DeleteInState'))).not.toMatch(/"Log/);
  });

  test('lets them write state under a condition only', () => {
    expect(sid('CreateInState')).toMatchObject({ Condition: { Null: { 's3:if-none-match': 'false' } } });
    expect(sid('ReplaceInState')).toMatchObject({ Condition: { Null: { 's3:if-match': 'false' } } });
  });

  test('lets them sign with the key that is made here, the plain message alone', () => {
    const conditions = { StringEquals: { 'kms:SigningAlgorithm': 'ED25519_SHA_512', 'kms:MessageType': 'RAW' } };
    expect(granted(signing, 'Writer').sid('Sign')).toMatchObject({ Action: 'kms:Sign', Condition: conditions });
    expect(sid('Sign')).toBeUndefined();
  });
});

test('the policy for auditors reads, the past included, and writes nowhere', () => {
  expect(granted(signing, 'Auditor').actions).toEqual([
    'kms:GetPublicKey',
    's3:GetObject',
    's3:ListBucket',
    's3:ListBucketVersions',
  ]);
  expect(granted(plain, 'Auditor').actions).toEqual(['s3:GetObject', 's3:ListBucket', 's3:ListBucketVersions']);
});

test('the key of the log is Ed25519, only signs, outlives the stack, and is made only where it is asked for', () => {
  expect(resources(signing, 'AWS::KMS::Key')).toEqual([
    expect.objectContaining({
      DeletionPolicy: 'Retain',
      Properties: expect.objectContaining({ KeySpec: 'ECC_NIST_EDWARDS25519', KeyUsage: 'SIGN_VERIFY' }),
    }),
  ]);
  expect(resources(plain, 'AWS::KMS::Key')).toEqual([]);
});

test.each(refusals.map(([context, why], at) => ({ context, why, answer: refused[at] })))(
  '$context is refused: $why',
  ({ why, answer }) => {
    expect(answer).toEqual({ refused: expect.stringContaining(why) });
  },
);
