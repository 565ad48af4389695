import { Sealed } from '../../shared/base/sealed.ts';
import { LockkeeperError } from '../../shared/base/error.ts';
import { systemWorld } from '../../shared/base/world.ts';
import { localFileSecrets } from '../../shared/secrets/local-file.ts';

/** A process that publishes under its own rotations as often as it is told; prints how often it lost to another. */
const [directory = '', keyFile = '', secret = '', name = '', rounds = '0'] = process.argv.slice(2);
const store = localFileSecrets({ directory, keyFile, world: systemWorld() });
let lost = 0;
for (let round = 0; round < Number(rounds);) {
  const rotation = `${name}-${round}`;
  try {
    const { current } = await store.read(secret);
    const { id } = await store.stage(secret, rotation, new Sealed(`${current?.value.open() ?? ''}${name};`));
    await store.promote(secret, { rotation, id }, current?.id);
    round += 1;
  } catch (thrown) {
    if (!(thrown instanceof LockkeeperError) || thrown.code !== 'conflict') throw thrown;
    lost += 1;
    await store.abandon(secret, rotation);
  }
}
process.stdout.write(`${lost}\n`);
