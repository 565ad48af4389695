import ipaddr from 'ipaddr.js';
import type { FirewallState } from '../contract.ts';
import type { AwsDescriptions, Description } from './descriptions.ts';
import { Fields } from './fields.ts';
import { readGroups } from './groups.ts';
import { readInterfaces } from './interfaces.ts';
import { readRules } from './rules.ts';

/**
 * Security groups as openings, from what EC2 prints. Rules come from describe-security-group-rules alone. Pure: the
 * same descriptions give the same state. `invalid` names every wrong field of the first document that has any.
 */
export function securityGroupState({
  rules,
  groups,
  interfaces,
  prefixLists: described,
  prefixListEntries,
}: AwsDescriptions): FirewallState {
  const grouped = readInterfaces(interfaces);
  const known = readGroups(groups, grouped);
  const prefixLists = new Map([...prefixListEntries].map(([id, description]) => [id, readEntries(description)]));
  return {
    cloud: 'aws',
    evaluation: 'union',
    openings: readRules(rules, { groups: known, prefixLists, listNames: described ? readNames(described) : new Map() }),
    interfaces: grouped.map(({ one }) => one),
  };
}

function readEntries({ name, document }: Description): readonly string[] {
  const fields = new Fields(name);
  const cidrs = fields.list(document, 'Entries').map((item) => {
    const cidr = item.need('Cidr');
    if (cidr !== '' && !ipaddr.isValidCIDR(cidr)) item.wrong('Cidr', `is not a CIDR: ${JSON.stringify(cidr)}`);
    return cidr;
  });
  fields.done();
  return cidrs;
}

function readNames({ name, document }: Description): ReadonlyMap<string, string> {
  const fields = new Fields(name);
  const names = fields
    .list(document, 'PrefixLists')
    .map((item) => [item.need('PrefixListId'), item.text('PrefixListName') ?? ''] as const);
  fields.done();
  return new Map(names);
}
