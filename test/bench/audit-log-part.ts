import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parentPort } from 'node:worker_threads';
import { hashBytes } from '../../shared/audit/tlog/merkle.ts';
import { encodeBundle } from '../../shared/audit/tlog/bundle.ts';
import { bundlePath, tileWidth } from '../../shared/audit/tlog/tile.ts';
import { madeEntries } from './audit-log-entries.ts';

/** Which bundles a thread writes. */
export interface LogPart {
  readonly directory: string;
  readonly part: number;
  /** Index of its first entry, and of the first that it has not. */
  readonly from: number;
  readonly to: number;
}

parentPort?.on('message', (part: LogPart) => {
  const leaves = writeBundles(part);
  parentPort?.postMessage(leaves, [leaves.buffer]);
});

/** Leaf hashes of the part, one after the other. */
function writeBundles({ directory, part, from, to }: LogPart): Uint8Array<ArrayBuffer> {
  const leaves = new Uint8Array((to - from) * hashBytes);
  let at = from;
  let bundle: Uint8Array[] = [];
  for (const { bytes, hash } of madeEntries(part, to - from)) {
    leaves.set(Buffer.from(hash, 'hex'), (at - from) * hashBytes);
    bundle.push(bytes);
    at += 1;
    if (at % tileWidth !== 0 && at !== to) continue;
    const path = join(directory, bundlePath(Math.floor((at - 1) / tileWidth), bundle.length));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, encodeBundle(bundle));
    bundle = [];
  }
  return leaves;
}
