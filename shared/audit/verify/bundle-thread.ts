import { parentPort } from 'node:worker_threads';
import { checkBundle } from './bundle-check.ts';
import type { BundleTask } from './bundle-pool.ts';

parentPort?.on('message', ({ first, bytes }: BundleTask) => {
  const checked = checkBundle(first, bytes);
  parentPort?.postMessage(checked, checked.leaves.buffer instanceof ArrayBuffer ? [checked.leaves.buffer] : []);
});
