import { MemoryVault, memorySecrets } from '../../shared/secrets/memory.ts';
import { secretStoreSuite } from '../conformance/secret-store.ts';

secretStoreSuite('memory', async () => {
  const vault = new MemoryVault();
  vault.add('prod/app db');
  return {
    first: memorySecrets(vault),
    second: memorySecrets(vault),
    secret: 'prod/app db',
    consumer: async () => vault.shelves.get('prod/app db')?.current?.text,
    close: async () => undefined,
  };
});
