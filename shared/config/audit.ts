import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { LockkeeperError } from '../base/error.ts';
import { pathOf, webAddress, type ResolvePath } from './fields.ts';
import { objectStore, type StoreConfig } from './stores.ts';
import { isVerifierKey } from './verifier-key.ts';

/** How the audit log is signed, who else vouches for it, and where copies of its checkpoints go. */
export function audit(resolve: ResolvePath) {
  return z.strictObject({
    origin: z
      .string()
      .regex(/^[A-Za-z0-9](?:[A-Za-z0-9._~:@-]|\/(?!\/)){0,199}$/, {
        error: 'is not a name such as logs.example.org/lockkeeper: no scheme, no spaces, no "+"',
      })
      .optional()
      .describe(
        'The name of the log, which can never change; witnesses know it by that. Default: lockkeeper.local/ and the name of the directory or bucket of the log.',
      ),
    key: signingKey(resolve)
      .optional()
      .describe(
        'The Ed25519 key that signs the log. Default: the file audit.key beside the directory of `stores.state`.',
      ),
    writerKey: pathOf(resolve)
      .exactOptional()
      .describe(
        'The file with the key that proves who wrote an entry: 64 hex digits, readable by its owner only. It is made where it is missing; all hosts that write to one log need the same. Default: writer.key beside the file of `audit.key`, else beside the directory of `stores.state`.',
      ),
    witnesses: z.array(witness).default([]).describe('Who cosigns checkpoints after checking that the log only grew.'),
    needed: z
      .int()
      .min(0)
      .optional()
      .describe('How many witnesses must cosign before a checkpoint counts as witnessed. Default: all of them.'),
    anchors: z
      .array(objectStore(resolve))
      .default([])
      .describe('Stores that get a copy of every checkpoint, best in another cloud.'),
    verifyWith: z
      .string()
      .refine((text) => isVerifierKey(text, 'log'), 'is not the key of a log: NAME+ID+KEY')
      .optional()
      .describe('The public key that `audit verify` trusts, as NAME+ID+KEY. Default: the one that came with the log.'),
  });
}

function signingKey(resolve: ResolvePath) {
  return z.discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('file'),
      path: pathOf(resolve).describe('PKCS#8 in PEM, readable by its owner only; it is made where it is missing.'),
    }),
    z.strictObject({
      kind: z.literal('aws-kms'),
      keyId: z.string().min(1).max(2048).describe('Id, ARN or alias of a key of the kind ECC_NIST_EDWARDS25519.'),
      region: z.string().min(1).exactOptional().describe('Its region. Default: that of the AWS login.'),
    }),
    z.strictObject({
      kind: z.literal('gcp-kms'),
      version: z
        .string()
        .regex(/^projects\/[^/]+\/locations\/[^/]+\/keyRings\/[^/]+\/cryptoKeys\/[^/]+\/cryptoKeyVersions\/[1-9]\d*$/, {
          error: 'is not projects/…/locations/…/keyRings/…/cryptoKeys/…/cryptoKeyVersions/N',
        })
        .describe('The version of a key of the kind EC_SIGN_ED25519.'),
    }),
  ]);
}

const witness = z.strictObject({
  key: z
    .string()
    .refine((text) => isVerifierKey(text, 'witness'), 'is not the key of a witness: NAME+ID+KEY')
    .describe('Its public key, as its operator publishes it: NAME+ID+KEY.'),
  url: webAddress.describe('The address below which it answers add-checkpoint.'),
});

/** The section `audit` after every check. */
export type AuditConfig = z.output<ReturnType<typeof audit>>;

/** The stores that the defaults of `audit` come from. */
interface WithStores {
  readonly stores: { readonly state: StoreConfig; readonly log: StoreConfig };
  readonly audit: AuditConfig;
}

/** The name of the log: as configured, else lockkeeper.local/ and what its store is called. */
export function originOf({ stores, audit: { origin } }: WithStores): string {
  return origin ?? `lockkeeper.local/${nameOf(stores.log).replaceAll(/[^A-Za-z0-9._~/-]+/g, '-') || 'log'}`;
}

function nameOf(store: StoreConfig): string {
  if (store.kind === 'file-system') return basename(store.path);
  const place = store.kind === 'azure-blob' ? store.container : store.bucket;
  return `${place}/${store.prefix}`.replace(/\/+$/, '');
}

/** The key that signs the log; `invalid` where none is configured and the state store is no directory. */
export function keyOf({ stores: { state }, audit: { key } }: WithStores): NonNullable<AuditConfig['key']> {
  if (key) return key;
  if (state.kind === 'file-system') return { kind: 'file', path: join(dirname(state.path), 'audit.key') };
  throw new LockkeeperError('invalid', 'the audit log has no key to be signed with', {
    hint: 'Name one in the configuration, under audit.key.',
  });
}

/** How many witnesses must cosign: as configured, else all of them. */
export function neededOf({ needed, witnesses }: Pick<AuditConfig, 'needed' | 'witnesses'>): number {
  return needed ?? witnesses.length;
}
