import type { Traffic } from './initiator.ts';
import { addressBlock, contains } from '../match/addresses.ts';

/** The same traffic with everything that known scanners did as knocks. */
export function withoutScanners({ uses, knocks }: Traffic, scanners: readonly string[]): Traffic {
  if (scanners.length === 0) return { uses, knocks };
  const blocks = scanners.map(addressBlock);
  const isScanner = (peer: string | undefined): boolean => {
    if (peer === undefined) return false;
    const address = addressBlock(peer);
    return blocks.some((block) => contains(block, address));
  };
  return {
    uses: uses.filter(({ peer }) => !isScanner(peer)),
    knocks: [
      ...knocks,
      ...uses.filter(({ peer }) => isScanner(peer)).map(({ kind: _kind, lastNew: _lastNew, ...knock }) => knock),
    ],
  };
}
