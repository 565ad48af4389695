import type { Key } from 'aws-cdk-lib/aws-kms';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import { permissions } from '../../shared/objects/aws-s3-permissions.ts';
import { permissions as signing } from '../../shared/signers/aws-kms-permissions.ts';

/** What policies are about; `key` is undefined where the log is signed with a key of another place. */
export interface Deps {
  readonly log: Bucket;
  readonly state: Bucket;
  readonly key: Key | undefined;
}

/**
 * What the functions of lockkeeper may do: create in the log, replace in the state, sign. Not one of them may delete or
 * replace in the log, nor touch its retention; nobody may write without a condition, though the buckets' own policies
 * let others.
 */
export function writerStatements({ log, state, key }: Deps): PolicyStatement[] {
  return [
    ...reading('Log', log, permissions.log.bucket),
    allow('CreateInLog', [put], { on: log.arnForObjects('*'), condition: withHeader('if-none-match') }),
    ...reading('State', state, permissions.state.bucket),
    allow('CreateInState', [put], { on: state.arnForObjects('*'), condition: withHeader('if-none-match') }),
    allow('ReplaceInState', [put], { on: state.arnForObjects('*'), condition: withHeader('if-match') }),
    allow('DeleteInState', without(permissions.state.objects, [get, put]), { on: state.arnForObjects('*') }),
    ...(key
      ? [allow('Sign', [...signing.sign], { on: key.keyArn, condition: { StringEquals: onlyPlainEd25519 } })]
      : []),
    ...publicKey(key),
  ];
}

/** What an auditor may do: read both stores, what S3 remembers of their past included, and the public key. */
export function auditorStatements({ log, state, key }: Deps): PolicyStatement[] {
  return [
    ...reading('Log', log, permissions.log.bucket),
    ...reading('State', state, permissions.state.bucket),
    ...publicKey(key),
  ];
}

const get = 's3:GetObject';
const put = 's3:PutObject';

/** Ed25519 of the message itself, as signed notes have it; not of its hash. */
const onlyPlainEd25519 = { 'kms:SigningAlgorithm': 'ED25519_SHA_512', 'kms:MessageType': 'RAW' };

function reading(name: string, bucket: Bucket, actions: readonly string[]): PolicyStatement[] {
  return [
    allow(`List${name}`, [...actions], { on: bucket.bucketArn }),
    allow(`Read${name}`, [get], { on: bucket.arnForObjects('*') }),
  ];
}

function publicKey(key: Key | undefined): PolicyStatement[] {
  return key ? [allow('ReadPublicKey', [...signing.read], { on: key.keyArn })] : [];
}

/**
 * The header has to be there (https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html).
 */
function withHeader(header: 'if-none-match' | 'if-match'): Condition {
  return { Null: { [`s3:${header}`]: 'false' } };
}

function without(actions: readonly string[], some: readonly string[]): string[] {
  return actions.filter((action) => !some.includes(action));
}

type Condition = Record<string, Record<string, string>>;

function allow(
  sid: string,
  actions: string[],
  { on, condition = {} }: { readonly on: string; readonly condition?: Condition },
): PolicyStatement {
  return new PolicyStatement({ sid, actions, resources: [on], conditions: condition });
}
