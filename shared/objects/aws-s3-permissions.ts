interface S3Permissions {
  /** On the bucket. Without ListBucket an absent object reads as denied. */
  readonly bucket: readonly string[];
  /** On its objects. */
  readonly objects: readonly string[];
}

/**
 * The least that a handle needs, by what its objects do. A condition on an ETag takes GetObject too
 * (https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html). Nobody needs DeleteObjectVersion.
 */
export const permissions: Readonly<Record<'create-only' | 'changing', S3Permissions>> = {
  'create-only': {
    bucket: ['s3:ListBucket', 's3:ListBucketVersions'],
    objects: ['s3:GetObject', 's3:PutObject'],
  },
  changing: {
    bucket: ['s3:ListBucket', 's3:ListBucketVersions'],
    objects: ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'],
  },
};
