import { longestInLog } from '../../shared/audit/limits.ts';
import type { World } from '../../shared/base/world.ts';
import { keyOf, neededOf, originOf, type AuditConfig } from '../../shared/config/audit.ts';
import type { Config } from '../../shared/config/schema.ts';
import { storeUrl } from '../../shared/config/store-url.ts';
import type { ObjectStore } from '../../shared/objects/contract.ts';
import type { Signer } from '../../shared/signers/contract.ts';
import { openStore } from './stores-wire.ts';
import { writerKeyIn } from './writer-key.ts';

/** A store that gets a copy of every checkpoint. */
export interface Anchor {
  /** Its address, for people. */
  readonly name: string;
  readonly store: ObjectStore;
}

/** What signs the log of a configuration, and who else vouches for it. */
export interface AuditParts {
  readonly signer: Signer;
  readonly origin: string;
  /** Proves who wrote an entry; made at its first use. */
  readonly writerKey: () => Promise<Uint8Array>;
  readonly witnesses: AuditConfig['witnesses'];
  /** How many of the witnesses must cosign before a checkpoint counts as witnessed. */
  readonly needed: number;
  readonly anchors: readonly Anchor[];
  /** The public key that `audit verify` trusts, as vkey text; undefined: the one that came with the log. */
  readonly verifyWith: string | undefined;
}

/**
 * Opens what the section `audit` names. Nothing is asked for yet: a key, a witness or an anchor that cannot be reached
 * shows at its first use, so that an anchor which is away does not keep the others from working.
 */
export async function openAudit(
  config: Pick<Config, 'stores' | 'audit' | 'secrets'>,
  world: World,
): Promise<AuditParts> {
  const { witnesses, anchors, verifyWith } = config.audit;
  return {
    signer: await openSigner(keyOf(config), world),
    origin: originOf(config),
    writerKey: writerKeyIn(config, world),
    witnesses,
    needed: neededOf(config.audit),
    anchors: await Promise.all(
      anchors.map(async (place) => ({
        name: storeUrl(place),
        store: (await openStore(place, { world, contents: 'create-only', mostBytes: longestInLog })).store,
      })),
    ),
    verifyWith,
  };
}

async function openSigner(key: ReturnType<typeof keyOf>, world: World): Promise<Signer> {
  switch (key.kind) {
    case 'file': {
      const { keyFileSigner } = await import('../../shared/signers/key-file.ts');
      return keyFileSigner({ path: key.path, world });
    }
    case 'aws-kms': {
      const { awsKmsSigner } = await import('../../shared/signers/aws-kms.ts');
      return awsKmsSigner(key);
    }
    case 'gcp-kms': {
      const { gcpKmsSigner } = await import('../../shared/signers/gcp-kms.ts');
      return gcpKmsSigner(key);
    }
  }
}
