import { gcpStorageObjects } from '../../shared/objects/gcp-storage.ts';
import { GcpStorage } from '../clouds/gcp-storage.ts';
import { objectStoreSuite } from '../conformance/object-store.ts';

objectStoreSuite(
  'gcp-storage',
  async () => {
    const storage = await GcpStorage.start();
    const { endpoint, bucket, token } = storage;
    const open = () => gcpStorageObjects({ bucket, prefix: 'place/', endpoint, token });
    return {
      one: open(),
      two: open(),
      observe: async (key) => storage.observe(`place/${key}`),
      close: () => storage.close(),
    };
  },
  { folders: false },
);
