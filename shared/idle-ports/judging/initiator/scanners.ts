import type { Traffic, Use } from './initiator.ts';
import { carriesPayload } from './sizes.ts';
import { addressBlock, contains } from '../match/addresses.ts';

/** Traffic in which what scanners did is no use. */
export interface Sifted extends Traffic {
  /** Payload from an address that a scanner has in one network and, as it seems, somebody else in another. */
  readonly doubtful: readonly Use[];
}

/**
 * The same traffic with everything that known scanners did as knocks. A scanner is known by its address alone, and
 * networks overlap: where interfaces of another network have the address (`isElsewhereToo`), who brought payload may be
 * a real client with the same address, so nobody can tell.
 */
export function withoutScanners(
  { uses, knocks }: Traffic,
  scanners: readonly string[],
  isElsewhereToo: (peer: string, here: string) => boolean,
): Sifted {
  if (scanners.length === 0) return { uses, knocks, doubtful: [] };
  const blocks = scanners.map(addressBlock);
  const isScanner = ({ peer }: Use): boolean => {
    if (peer === undefined) return false;
    const address = addressBlock(peer);
    return blocks.some((block) => contains(block, address));
  };
  const isDoubtful = ({ peer, interface: here, seen }: Use): boolean =>
    peer !== undefined && carriesPayload(seen, peer) && isElsewhereToo(peer, here);
  const scans = uses.filter(isScanner);
  const surely = scans.filter((use) => !isDoubtful(use));
  return {
    uses: uses.filter((use) => !isScanner(use)),
    knocks: [...knocks, ...surely.map(({ kind: _kind, lastNew: _lastNew, ...knock }) => knock)],
    doubtful: scans.filter(isDoubtful),
  };
}
