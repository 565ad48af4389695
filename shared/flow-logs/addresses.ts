import ipaddr from 'ipaddr.js';

const plainV4 = /^(25[0-5]|2[0-4]\d|1?\d?\d)(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}$/;

/** Of an IPv6 address with an IPv4 in it and a zone. */
const longest = 64;

/**
 * The one text of an address that facts use: dotted IPv4, IPv6 as RFC 5952, an IPv4-mapped IPv6 as its IPv4.
 * Undefined for what is no address.
 */
export function canonicalAddress(text: string): string | undefined {
  if (text.length > longest) return undefined;
  if (plainV4.test(text)) return ipaddr.IPv4.isValidFourPartDecimal(text) ? text : undefined;
  if (!text.includes(':') || !ipaddr.IPv6.isValid(text)) return undefined;
  const parsed = ipaddr.IPv6.parse(text);
  return parsed.isIPv4MappedAddress() ? parsed.toIPv4Address().toString() : parsed.toRFC5952String();
}
