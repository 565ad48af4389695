import { Sealed } from '../../shared/base/sealed.ts';
import { systemWorld } from '../../shared/base/world.ts';
import { httpRefresh } from '../../shared/refreshes/http.ts';

// A process of its own: which authorities are trusted is read when Node starts.
const url = process.argv[2] ?? '';
const key = async () => new Sealed(`whsec_${Buffer.alloc(32, 1).toString('base64')}`);
await httpRefresh({ name: 'web', url, key, world: systemWorld() }).poke({
  credential: 'db',
  rotation: 'r-1',
  secrets: [],
});
process.stdout.write('acknowledged');
