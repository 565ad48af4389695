import { describe, expect, test } from '@jest/globals';
import { canonicalJson, sha256 } from '../../shared/base/canonical.ts';
import { hasCode } from '../../shared/base/error.ts';
import { parseInstant } from '../../shared/base/time.ts';
import type { Firewall } from '../../shared/firewalls/contract.ts';
import { awsSecurityGroups } from '../../shared/firewalls/aws-security-group.ts';
import type { Description } from '../../shared/firewalls/aws/descriptions.ts';
import { plain } from '../../shared/firewalls/aws/plain.ts';
import { firewallConformance } from '../conformance/firewall.ts';

const web = {
  NetworkInterfaceId: 'eni-web',
  VpcId: 'vpc-1',
  SubnetId: 'subnet-1',
  Status: 'in-use',
  InterfaceType: 'interface',
  Attachment: { AttachTime: '2026-01-01T00:00:00+00:00' },
  PrivateIpAddress: '10.0.1.10',
  PrivateIpAddresses: [
    { PrivateIpAddress: '10.0.1.10', Association: { PublicIp: '198.51.100.1' } },
    { PrivateIpAddress: '10.0.1.11', Primary: false },
  ],
  Ipv6Addresses: [{ Ipv6Address: '2600:1f18:0:1::10' }],
  Ipv4Prefixes: [{ Ipv4Prefix: '10.0.1.32/28' }],
  Groups: [{ GroupId: 'sg-web', GroupName: 'web' }],
};

function rule(more: object): object {
  return {
    SecurityGroupRuleId: 'sgr-1',
    GroupId: 'sg-web',
    GroupOwnerId: '1',
    IsEgress: false,
    IpProtocol: 'tcp',
    FromPort: 443,
    ToPort: 443,
    CidrIpv4: '10.0.0.0/8',
    ...more,
  };
}

interface Documents {
  readonly rules?: unknown;
  readonly groups?: unknown;
  readonly interfaces?: unknown;
  readonly entries?: Readonly<Record<string, unknown>>;
}

function described(name: string, document: unknown): Description {
  return { name, document };
}

function firewallOf({ rules, groups, interfaces, entries = {} }: Documents): Firewall {
  return awsSecurityGroups({
    name: 'test',
    describe: async () => ({
      rules: described('rules.json', rules ?? { SecurityGroupRules: [rule({})] }),
      groups: described(
        'groups.json',
        groups ?? {
          SecurityGroups: [{ GroupId: 'sg-web', Tags: [{ Key: 'aws:cloudformation:stack-name', Value: 'web' }] }],
        },
      ),
      interfaces: described('interfaces.json', interfaces ?? { NetworkInterfaces: [web] }),
      prefixLists: described('lists.json', { PrefixLists: [{ PrefixListId: 'pl-1', PrefixListName: 'offices' }] }),
      prefixListEntries: new Map(
        Object.entries(entries).map(([id, document]) => [id, described(`${id}.json`, document)]),
      ),
    }),
  });
}

async function openingOf(more: object, documents: Documents = {}) {
  const { openings } = await firewallOf({ ...documents, rules: { SecurityGroupRules: [rule(more)] } }).openings();
  return openings[0];
}

async function messageOf(documents: Documents): Promise<string> {
  try {
    await firewallOf(documents).openings();
    return 'no error';
  } catch (error) {
    return hasCode(error, 'invalid') ? error.message : String(error);
  }
}

describe('a security group rule', () => {
  test('is an opening at every interface that carries its group', async () => {
    expect(await openingOf({})).toMatchObject({
      id: 'sgr-1',
      ruleSet: 'sg-web',
      direction: 'ingress',
      protocol: 6,
      ports: { from: 443, to: 443 },
      sources: [{ kind: 'addresses', cidrs: ['10.0.0.0/8'] }],
      targets: ['eni-web'],
      managedBy: 'CloudFormation stack web',
    });
  });

  test('of every protocol has all ports, and so has a protocol without ports', async () => {
    expect(await openingOf({ IpProtocol: '-1', FromPort: -1, ToPort: -1 })).toMatchObject({
      protocol: 'all',
      ports: 'all',
    });
    expect(await openingOf({ IpProtocol: '50', FromPort: 1, ToPort: 2 })).toMatchObject({ protocol: 50, ports: 'all' });
    expect(await openingOf({ IpProtocol: '17', FromPort: 53, ToPort: 53 })).toMatchObject({
      protocol: 17,
      ports: { from: 53, to: 53 },
    });
  });

  test('for ICMP has a range over types and codes', async () => {
    expect(await openingOf({ IpProtocol: 'icmp', FromPort: -1, ToPort: -1 })).toMatchObject({
      protocol: 1,
      ports: 'all',
    });
    expect(await openingOf({ IpProtocol: 'icmp', FromPort: 8, ToPort: -1 })).toMatchObject({
      protocol: 1,
      ports: { from: 2048, to: 2303 },
    });
    expect(await openingOf({ IpProtocol: 'icmpv6', FromPort: 3, ToPort: 4 })).toMatchObject({
      protocol: 58,
      ports: { from: 772, to: 772 },
    });
  });

  test('that names a group lets in the private and IPv6 addresses of its members, never public ones', async () => {
    const own = { CidrIpv4: undefined, ReferencedGroupInfo: { GroupId: 'sg-web', UserId: '1' } };
    const [source] = (await openingOf(own))?.sources ?? [];
    const members = source?.kind === 'group' ? source.members : [];
    expect(members.slice(0, 3)).toEqual(['10.0.1.10', '10.0.1.11', '2600:1f18:0:1::10']);
    expect(members.slice(3)).toHaveLength(16);
    expect(members).toContain('10.0.1.47');
  });

  test('that names a group of somebody else has a source that nobody here can list', async () => {
    const peered = {
      CidrIpv4: undefined,
      ReferencedGroupInfo: { GroupId: 'sg-far', UserId: '2', VpcPeeringConnectionId: 'pcx-1' },
    };
    expect((await openingOf(peered))?.sources).toEqual([
      { kind: 'unknown', name: 'sg-far', why: expect.stringContaining('pcx-1'), privateOnly: true },
    ]);
  });

  test('that names a prefix list has its entries, or says how to fetch them', async () => {
    const list = { CidrIpv4: undefined, PrefixListId: 'pl-1' };
    expect(
      (await openingOf(list, { entries: { 'pl-1': { Entries: [{ Cidr: '10.1.0.0/16' }, { Cidr: '10.2.0.0/16' }] } } }))
        ?.sources,
    ).toEqual([{ kind: 'addresses', cidrs: ['10.1.0.0/16', '10.2.0.0/16'] }]);
    expect((await openingOf(list))?.sources).toEqual([
      { kind: 'unknown', name: 'pl-1', why: expect.stringMatching(/offices.*--prefix-list-id pl-1/) },
    ]);
  });

  test('has a fingerprint that any edit changes', async () => {
    const one = await openingOf({});
    expect((await openingOf({ Description: 'x' }))?.fingerprint).not.toBe(one?.fingerprint);
    expect((await openingOf({}))?.fingerprint).toBe(one?.fingerprint);
  });

  test('of a group on no interface applies to nothing', async () => {
    expect(await openingOf({ GroupId: 'sg-idle' })).toMatchObject({ targets: [], managedBy: undefined });
  });

  test('that terraform or a cluster made says so', async () => {
    expect((await openingOf({ Tags: [{ Key: 'ManagedBy', Value: 'terraform' }] }))?.managedBy).toBe('terraform');
    expect((await openingOf({ Tags: [{ Key: 'kubernetes.io/cluster/prod', Value: 'owned' }] }))?.managedBy).toBe(
      'Kubernetes cluster prod',
    );
  });
});

describe('an interface', () => {
  test('hangs in its network and subnet since it was attached', async () => {
    const { interfaces } = await firewallOf({}).openings();
    expect(interfaces[0]).toMatchObject({
      id: 'eni-web',
      within: ['vpc-1', 'subnet-1'],
      attachedAt: parseInstant('2026-01-01T00:00:00Z'),
      blindSpot: undefined,
    });
    expect(interfaces[0]).not.toHaveProperty('groups');
  });

  test('that flow logs cannot see whole has a blind spot', async () => {
    const types = ['network_load_balancer', 'gateway_load_balancer', 'gateway_load_balancer_endpoint', 'vpc_endpoint'];
    const documents = {
      NetworkInterfaces: [
        ...types.map((InterfaceType) => ({ ...web, InterfaceType })),
        { ...web, Status: 'available' },
      ],
    };
    const { interfaces } = await firewallOf({ interfaces: documents }).openings();
    expect(interfaces.every(({ blindSpot }) => blindSpot !== undefined)).toBe(true);
  });
});

describe('a document that is not what EC2 prints', () => {
  test('is refused with every mistake, its file and its path', async () => {
    const rules = {
      SecurityGroupRules: [
        rule({ IpProtocol: 'tpc' }),
        rule({ GroupId: undefined, FromPort: 9, ToPort: 8 }),
        rule({ CidrIpv4: '10.0.0.0/33' }),
        7,
      ],
    };
    const message = await messageOf({ rules });
    for (const part of [
      'rules.json',
      'SecurityGroupRules[0].IpProtocol is no protocol: "tpc"',
      'SecurityGroupRules[1].GroupId is missing',
      '9–8',
      '10.0.0.0/33',
      'SecurityGroupRules[3] is not an object',
    ]) {
      expect(message).toContain(part);
    }
  });

  test('is refused where its list is missing or has further pages', async () => {
    expect(await messageOf({ groups: {} })).toContain('groups.json: SecurityGroups is missing');
    expect(await messageOf({ interfaces: { NetworkInterfaces: [], NextToken: 'x' } })).toContain('pages are missing');
  });
});

firewallConformance({
  name: 'aws-security-group',
  writes: false,
  async fresh() {
    const documents = {
      rules: {
        SecurityGroupRules: ['1', '2', '3'].map((id) =>
          rule({ SecurityGroupRuleId: `sgr-${id}`, FromPort: Number(id), ToPort: Number(id) }),
        ),
      },
    };
    const { SecurityGroupRules: rules } = documents.rules;
    return {
      firewall: firewallOf(documents),
      second: firewallOf(documents),
      openings: ['sgr-1', 'sgr-2', 'sgr-3'],
      rules: async () => new Map(rules.map((one, index) => [`sgr-${index + 1}`, plain(one)])),
      admits: onlyForWriters,
      edit: async (opening) => {
        const index = Number(opening.slice('sgr-'.length)) - 1;
        rules[index] = { ...rules[index], Description: 'a person was here' };
      },
      recreate: onlyForWriters,
      end: async () => {},
    };
  },
});

async function onlyForWriters(): Promise<never> {
  throw new Error('this driver only reads');
}

test('the fingerprint is the one of the canonical rule', async () => {
  const opening = await openingOf({});
  expect(opening?.fingerprint).toBe(sha256(canonicalJson(opening?.rule ?? null)));
});
