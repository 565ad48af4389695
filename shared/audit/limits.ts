import { longestObject, type SizeLimit } from '../objects/contract.ts';
import {
  checkpointPrefix,
  cosignaturePrefix,
  evidencePrefix,
  inboxPrefix,
  partialPrefix,
  publishedKey,
  sequencePrefix,
  tilePrefix,
  verifierKeyKey,
} from './layout.ts';
import { longestEntry } from './tlog/bundle.ts';
import { tileWidth } from './tlog/tile.ts';

const [kilobyte, megabyte] = [1_024, 1_048_576];
/** As many entries as a tile has leaves, each as long as it may be; a batch of the inbox has fewer. */
const longestBundle = tileWidth * (2 + longestEntry);

const byPrefix: readonly (readonly [string, number])[] = [
  [inboxPrefix, longestBundle],
  // It names five hundred batches at most.
  [sequencePrefix, megabyte],
  [`${tilePrefix}entries/`, longestBundle],
  [tilePrefix, 64 * kilobyte],
  [checkpointPrefix, 256 * kilobyte],
  [cosignaturePrefix, 64 * kilobyte],
  [evidencePrefix, 64 * megabyte],
  [verifierKeyKey, 4 * kilobyte],
  // Of plain tiles.
  ['checkpoint', 256 * kilobyte],
];

/**
 * How many bytes an object of the log store has at most: no reader takes more into its memory because somebody put
 * more there. One of another name is no object of the log, and nobody reads it.
 */
export const longestInLog: SizeLimit = (key) => limitOf(key) ?? megabyte;

/** The same for the state store, where much else than the log's lies. */
export const longestInState: SizeLimit = (key) => {
  if (key === publishedKey) return 256 * kilobyte;
  return (key.startsWith(partialPrefix) ? limitOf(key.slice(partialPrefix.length)) : undefined) ?? longestObject;
};

function limitOf(key: string): number | undefined {
  return byPrefix.find(([prefix]) => key.startsWith(prefix))?.[1];
}
