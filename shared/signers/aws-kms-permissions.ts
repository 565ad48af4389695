/** The least that the driver needs on its key: `read` for the public key, `sign` besides. */
export const permissions = { read: ['kms:GetPublicKey'], sign: ['kms:Sign'] } as const;
