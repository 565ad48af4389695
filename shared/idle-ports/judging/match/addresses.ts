import ipaddr from 'ipaddr.js';
import { LockkeeperError } from '../../../base/error.ts';

/** A block of addresses, both ends included. IPv4-mapped IPv6 is IPv4. */
export interface AddressBlock {
  readonly family: 4 | 6;
  readonly bits: number;
  readonly low: bigint;
  readonly high: bigint;
}

/** Parses an address or a CIDR, whose host bits may be set; `invalid` for anything else. */
export function addressBlock(text: string): AddressBlock {
  const [host = '', bits, more] = text.split('/');
  const address = isAddress(host) ? ipaddr.parse(host) : undefined;
  const mapped = address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress();
  const plain = mapped ? address.toIPv4Address() : address;
  const width = plain instanceof ipaddr.IPv4 ? 32 : 128;
  const length = bits === undefined ? width : Number(bits) - (mapped ? 96 : 0);
  const good = more === undefined && (bits === undefined || /^\d+$/.test(bits)) && length >= 0 && length <= width;
  if (!plain || !good) throw new LockkeeperError('invalid', `${JSON.stringify(text)} is neither an address nor a CIDR`);
  const size = 1n << BigInt(width - length);
  const number = plain.toByteArray().reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  const low = (number / size) * size;
  return { family: width === 32 ? 4 : 6, bits: length, low, high: low + size - 1n };
}

function isAddress(text: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text);
}

/** True where every address of `inner` is in `outer`. */
export function contains(outer: AddressBlock, inner: AddressBlock): boolean {
  return outer.family === inner.family && outer.low <= inner.low && inner.high <= outer.high;
}

/** True where the two have an address in common. */
export function meets(one: AddressBlock, other: AddressBlock): boolean {
  return one.family === other.family && one.low <= other.high && other.low <= one.high;
}

const privateBlocks = [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '169.254.0.0/16',
  'fc00::/7',
  'fe80::/10',
].map(addressBlock);

/** Addresses that stand for something inside: private by standard. */
export function isPrivate(address: AddressBlock): boolean {
  return privateBlocks.some((block) => contains(block, address));
}

/** Values by block of addresses; a lookup costs one hash probe for each prefix length in use. */
export class AddressTable<Value> {
  readonly #byLength = new Map<
    string,
    { readonly family: 4 | 6; readonly shift: bigint; readonly values: Map<bigint, Value[]> }
  >();

  add(block: AddressBlock, value: Value): void {
    const key = `${block.family}/${block.bits}`;
    const shift = BigInt((block.family === 4 ? 32 : 128) - block.bits);
    const length = this.#byLength.get(key) ?? { family: block.family, shift, values: new Map<bigint, Value[]>() };
    this.#byLength.set(key, length);
    const network = block.low >> shift;
    const held = length.values.get(network);
    if (held) held.push(value);
    else length.values.set(network, [value]);
  }

  /** The values of every block that holds the address. */
  at(address: AddressBlock): Value[] {
    const found: Value[] = [];
    for (const { family, shift, values } of this.#byLength.values()) {
      if (family === address.family) found.push(...(values.get(address.low >> shift) ?? []));
    }
    return found;
  }
}
