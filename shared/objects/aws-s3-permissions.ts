const bucket = ['s3:ListBucket', 's3:ListBucketVersions'];

/**
 * IAM actions of the driver on its bucket and on the bucket's objects, by what a store is for. `log` is create-only:
 * whoever has no more can neither delete nor, with the policy of the log bucket, replace. A condition on an ETag takes
 * GetObject too (https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html); without ListBucket an
 * absent object reads as denied.
 */
export const permissions = {
  log: { bucket, objects: ['s3:GetObject', 's3:PutObject'] },
  state: { bucket, objects: ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'] },
} as const;
