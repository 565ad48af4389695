import { systemWorld } from '../../shared/base/world.ts';
import { keyFileSigner } from '../../shared/signers/key-file.ts';

/** Run as a process of its own: prints the public key of the file it is given, as hex. */
const [path = ''] = process.argv.slice(2);
process.stdout.write(Buffer.from(await keyFileSigner({ path, world: systemWorld() }).publicKey()).toString('hex'));
