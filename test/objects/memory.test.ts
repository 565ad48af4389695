import { memoryObjects, MemoryBucket } from '../../shared/objects/memory.ts';
import { objectStoreSuite } from '../conformance/object-store.ts';

objectStoreSuite(
  'memory',
  async () => {
    const bucket = new MemoryBucket();
    return {
      one: memoryObjects(bucket),
      two: memoryObjects(bucket),
      observe: async (key) => bucket.objects.get(key)?.bytes,
      close: async () => bucket.objects.clear(),
    };
  },
  { folders: false },
);
