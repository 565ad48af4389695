import { describe, expect, test } from '@jest/globals';
import { peopleOf } from '../../functions/local/people.ts';
import type { Config, ServiceConfig } from '../../shared/config/schema.ts';
import type { Opening } from '../../shared/firewalls/contract.ts';
import { counting, missing } from '../../shared/idle-ports/closing/people.ts';

function service(name: string, port: number, rest: Partial<ServiceConfig> = {}): ServiceConfig {
  return { name, owner: `own-${name}`, network: 'net', port, protocol: 'tcp', tags: [], consumers: [], ...rest };
}

const services = [
  service('db', 5432),
  service('web', 80, { approvers: ['ann', 'ben'] }),
  service('dns', 53, { protocol: 'udp' }),
  service('far', 5432, { network: 'other' }),
];

function people(ports: Opening['ports'], protocol: Opening['protocol'] = 6, needed = 1) {
  const approvals: Config['approvals'] = {
    kind: 'local-page',
    port: 0,
    needed,
    approvers: ['ann', 'ben', 'own-db', 'own-web', 'carl'],
  };
  const opening: Opening = {
    id: 'r',
    ruleSet: 'rules',
    direction: 'ingress',
    protocol,
    ports,
    sources: [],
    targets: [],
    createdAt: undefined,
    description: '',
    managedBy: undefined,
    rule: {},
    fingerprint: '',
  };
  return peopleOf({ services, approvals }, 'net', opening);
}

describe('an opening', () => {
  test.each([
    ['to one service', { from: 5432, to: 5432 }, 6, ['own-db']],
    ['to a range of two', { from: 1, to: 6000 }, 6, ['own-db', 'own-web']],
    ['of every port and protocol', 'all', 'all', ['own-db', 'own-web', 'own-dns']],
    ['of every UDP port', 'all', 17, ['own-dns']],
    ['that leads to no service', { from: 9, to: 9 }, 6, []],
  ] as const)('%s is the own matter of everybody behind it', (_, ports, protocol, owners) => {
    const found = people(ports, protocol);
    expect(found.excluded).toEqual(owners);
    for (const owner of owners) expect(counting([owner], found)).toEqual([]);
  });

  test('to two services needs approvers of each', () => {
    const both = people({ from: 1, to: 6000 });
    expect(missing(['carl'], both)).toContain('for service web');
    expect(missing(['carl', 'ben'], both)).toBeUndefined();
    expect(missing(['own-db', 'own-web'], both)).toContain('0 approvals');
    expect(missing(['ann', 'Ann', '\u0430nn'], people({ from: 1, to: 6000 }, 6, 2))).toContain('1 approvals');
  });
});
