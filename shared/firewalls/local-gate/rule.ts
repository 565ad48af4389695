import { isIPv4, isIPv6 } from 'node:net';
import { canonicalJson, sha256, type Plain } from '../../base/canonical.ts';
import { LockkeeperError } from '../../base/error.ts';
import { formatInstant, parseInstant, type Instant } from '../../base/time.ts';
import type { PortRange } from '../contract.ts';

/** One allow rule of a gate. What no rule allows is refused. */
export interface GateRule {
  /** 1–80 characters of [a-z0-9-]; unique within its gate. */
  readonly id: string;
  readonly name: string;
  readonly protocol: 'tcp';
  readonly ports: PortRange;
  /** CIDRs. An empty list lets nobody in; it never means everybody. */
  readonly sources: readonly string[];
  /** Ids of the interfaces it applies to. An empty list applies to none. */
  readonly targets: readonly string[];
  readonly description: string;
  readonly createdAt: Instant;
  readonly tags: Readonly<Record<string, string>>;
}

/** The rule as plain data: what the API carries, what the file holds and what the fingerprint is taken of. */
export function ruleAsPlain(rule: GateRule): Plain {
  return {
    id: rule.id,
    name: rule.name,
    protocol: rule.protocol,
    ports: { from: rule.ports.from, to: rule.ports.to },
    sources: rule.sources,
    targets: rule.targets,
    description: rule.description,
    createdAt: formatInstant(rule.createdAt),
    tags: rule.tags,
  };
}

/** SHA-256 of the rule's canonical form. Any edit changes it. */
export function ruleFingerprint(rule: GateRule): string {
  return sha256(canonicalJson(ruleAsPlain(rule)));
}

/**
 * Reads a rule from plain data; `invalid` names `where` and the first field that is wrong. Unknown fields are refused.
 */
export function parseRule(value: unknown, where: string): GateRule {
  const fields = record(value, where);
  const known = ['id', 'name', 'protocol', 'ports', 'sources', 'targets', 'description', 'createdAt', 'tags'];
  const unknown = Object.keys(fields).find((key) => !known.includes(key));
  if (unknown !== undefined)
    throw invalid(where, `has an unknown field "${unknown}"`, `Known fields: ${known.join(', ')}.`);
  if (fields['protocol'] !== 'tcp') throw invalid(where, 'has a protocol other than tcp', 'A gate forwards TCP only.');
  return {
    id: identifier(fields['id'], where),
    name: text(fields['name'], `${where} name`),
    protocol: 'tcp',
    ports: portRange(fields['ports'], `${where} ports`),
    sources: texts(fields['sources'], `${where} sources`).map((cidr) => checkedCidr(cidr, where)),
    targets: texts(fields['targets'], `${where} targets`),
    description: text(fields['description'], `${where} description`),
    createdAt: creation(text(fields['createdAt'], `${where} createdAt`), where),
    tags: tags(fields['tags'], `${where} tags`),
  };
}

/** The members of a JSON object; `invalid` for anything else. */
export function record(value: unknown, where: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(where, 'is not an object');
  return Object.fromEntries(Object.entries(value));
}

/** A string; `invalid` for anything else. */
export function text(value: unknown, where: string): string {
  if (typeof value !== 'string') throw invalid(where, 'is not a text');
  return value;
}

/** A list of strings; `invalid` for anything else. */
export function texts(value: unknown, where: string): readonly string[] {
  if (!Array.isArray(value)) throw invalid(where, 'is not a list');
  return value.map((item: unknown) => text(item, where));
}

function identifier(value: unknown, where: string): string {
  const id = text(value, `${where} id`);
  if (!/^[a-z0-9-]{1,80}$/.test(id))
    throw invalid(where, `has the id "${id}"`, 'Use 1–80 characters of a–z, 0–9 and "-".');
  return id;
}

function portRange(value: unknown, where: string): PortRange {
  const { from, to } = record(value, where);
  if (!isPort(from) || !isPort(to) || from > to)
    throw invalid(where, 'is not a range of ports', 'Write it like {"from":5432,"to":5432}.');
  return { from, to };
}

function isPort(port: unknown): port is number {
  return typeof port === 'number' && Number.isInteger(port) && port >= 0 && port <= 65_535;
}

/** What is written down must be readable again, else the next start of the gate fails. */
function creation(written: string, where: string): Instant {
  const at = parseInstant(written);
  if (/^\d{4}-/.test(formatInstant(at))) return at;
  throw invalid(where, `has the creation time "${written}"`, 'Years go from 0000 to 9999 in UTC.');
}

function checkedCidr(cidr: string, where: string): string {
  const [address = '', prefix = '', ...rest] = cidr.split('/');
  // An address with a zone (fe80::1%eth0) passes for IPv6, and no list of networks takes it.
  const longest = address.includes('%') ? -1 : isIPv4(address) ? 32 : isIPv6(address) ? 128 : -1;
  if (rest.length > 0 || !/^\d{1,3}$/.test(prefix) || Number(prefix) > longest) {
    throw invalid(where, `has the source "${cidr}"`, 'Write sources as CIDRs, like 127.0.1.0/24.');
  }
  return cidr;
}

function tags(value: unknown, where: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(record(value, where)).map(([key, tag]) => [key, text(tag, `${where}.${key}`)]),
  );
}

function invalid(where: string, what: string, hint?: string): LockkeeperError {
  return new LockkeeperError('invalid', `${where} ${what}`, hint === undefined ? {} : { hint });
}
