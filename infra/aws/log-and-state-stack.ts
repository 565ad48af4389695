import { CfnOutput, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { AnyPrincipal, Effect, ManagedPolicy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Key, KeySpec, KeyUsage } from 'aws-cdk-lib/aws-kms';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  ObjectLockRetention,
  ObjectOwnership,
  type BucketProps,
} from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { auditorStatements, writerStatements } from './policies.ts';
import type { LogSettings } from './settings.ts';

/**
 * The two buckets of lockkeeper on AWS, the policies for the roles that use them, and, where it is wanted, the key of
 * the log.
 *
 * | bucket | objects are | kept by                                                             |
 * |--------|-------------|---------------------------------------------------------------------|
 * | log    | created     | Object Lock on every version, and a policy that lets nothing replace or hide one |
 * | state  | replaced    | versions, for a while; writes without a condition are refused       |
 *
 * Object Lock alone is not enough: a plain delete hides a locked object behind a delete marker, and then a create
 * succeeds again under the same key (https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-managing.html).
 */
export class LogAndStateStack extends Stack {
  constructor(scope: Construct, id: string, settings: LogSettings) {
    super(scope, id, { description: 'lockkeeper: the audit log, which nobody rewrites, and its state' });
    const log = this.#log(settings);
    const state = this.#state(settings);
    const key = settings.signingKey === 'kms' ? this.#signingKey() : undefined;
    const writer = new ManagedPolicy(this, 'Writer', {
      description: 'lockkeeper: create in the log, replace in the state, sign; for the roles of its functions',
      statements: writerStatements({ log, state, key }),
    });
    const auditor = new ManagedPolicy(this, 'Auditor', {
      description: 'lockkeeper: read the log and its past; for those who verify it',
      statements: auditorStatements({ log, state, key }),
    });
    new CfnOutput(this, 'LogBucketName', { value: log.bucketName });
    new CfnOutput(this, 'StateBucketName', { value: state.bucketName });
    new CfnOutput(this, 'WriterPolicyArn', { value: writer.managedPolicyArn });
    new CfnOutput(this, 'AuditorPolicyArn', { value: auditor.managedPolicyArn });
    if (key) new CfnOutput(this, 'SigningKeyArn', { value: key.keyArn });
  }

  /**
   * Who loses this key can still verify the log, but nobody can sign on with its name: it stays when the stack goes.
   */
  #signingKey(): Key {
    return new Key(this, 'SigningKey', {
      description: 'lockkeeper: signs the checkpoints of the audit log',
      keySpec: KeySpec.ECC_NIST_EDWARDS25519,
      keyUsage: KeyUsage.SIGN_VERIFY,
      pendingWindow: Duration.days(30),
      removalPolicy: RemovalPolicy.RETAIN,
    });
  }

  #log({ retention, retentionDays, logKeepers }: LogSettings): Bucket {
    const duration = Duration.days(retentionDays);
    const log = new Bucket(this, 'Log', {
      ...privateBucket,
      objectLockEnabled: true,
      objectLockDefaultRetention:
        retention === 'compliance'
          ? ObjectLockRetention.compliance(duration)
          : ObjectLockRetention.governance(duration),
    });
    const objects = [log.arnForObjects('*')];
    log.addToResourcePolicy(createOnly(objects));
    log.addToResourcePolicy(noDeletes(objects, logKeepers));
    return log;
  }

  #state({ stateVersionDays }: LogSettings): Bucket {
    const state = new Bucket(this, 'State', {
      ...privateBucket,
      lifecycleRules: [
        {
          id: 'old-versions',
          noncurrentVersionExpiration: Duration.days(stateVersionDays),
          expiredObjectDeleteMarker: true,
        },
        { id: 'unfinished-uploads', abortIncompleteMultipartUploadAfter: Duration.days(1) },
      ],
    });
    state.addToResourcePolicy(conditionalOnly([state.arnForObjects('*')]));
    return state;
  }
}

/** Keys of S3, not of KMS: whoever deletes a key of KMS makes the log unreadable. */
const privateBucket: BucketProps = {
  versioned: true,
  encryption: BucketEncryption.S3_MANAGED,
  enforceSSL: true,
  minimumTLSVersion: 1.2,
  blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
  objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
  removalPolicy: RemovalPolicy.RETAIN,
};

/**
 * Refuses every write without `If-None-Match`. That header is the only key of the condition: keys of one block are
 * joined by "and", so a second one would let writes with the other header through. Uploads in parts and copies send
 * none when they begin and are refused with the rest; entries are small and written whole.
 * (https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html)
 */
function createOnly(resources: string[]): PolicyStatement {
  return deny('CreateOnly', ['s3:PutObject'], { resources, conditions: { Null: { 's3:if-none-match': 'true' } } });
}

/** Refuses writes that carry neither `If-None-Match` nor `If-Match`. */
function conditionalOnly(resources: string[]): PolicyStatement {
  return deny('ConditionalOnly', ['s3:PutObject'], {
    resources,
    conditions: { Null: { 's3:if-none-match': 'true', 's3:if-match': 'true' } },
  });
}

/**
 * Refuses to delete, to hide behind a delete marker, and to shorten or go round retention; only `keepers` are not
 * hindered.
 */
function noDeletes(resources: string[], keepers: readonly string[]): PolicyStatement {
  const actions = [
    's3:DeleteObject',
    's3:DeleteObjectVersion',
    's3:BypassGovernanceRetention',
    's3:PutObjectRetention',
    's3:PutObjectLegalHold',
  ];
  const conditions = keepers.length === 0 ? {} : { ArnNotLike: { 'aws:PrincipalArn': [...keepers] } };
  return deny('NoDeletes', actions, { resources, conditions });
}

interface Where {
  readonly resources: string[];
  readonly conditions: Record<string, Record<string, string | string[]>>;
}

function deny(sid: string, actions: string[], { resources, conditions }: Where): PolicyStatement {
  return new PolicyStatement({
    sid,
    effect: Effect.DENY,
    principals: [new AnyPrincipal()],
    actions,
    resources,
    conditions,
  });
}
