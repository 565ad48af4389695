import { hour, instant, minute } from '../../shared/base/time.ts';
import { Account, on } from './account.ts';
import type { LogFormat } from './log-rows.ts';
import { exchange, knock, middle, oneWay, ping, refused, scan, session } from './traffic.ts';

/** Labelled traffic: what an account holds, and the verdict and first reason that each rule must get. */
export interface Case {
  readonly promise: string;
  readonly build: () => Account;
  /** By rule id. */
  readonly expected: Readonly<Record<string, string>>;
}

const all = { IpProtocol: '-1', FromPort: -1, ToPort: -1 };
const server = '10.0.1.10';
const client = '10.0.2.20';

/** A server with one group and a client with another, logged at the network in every hour. */
function account(format: LogFormat = 'v5'): Account {
  return new Account()
    .interface('eni-server', { ip: server, v6: '2600:1f18:0:1::10', groups: ['sg-server'] })
    .interface('eni-client', { ip: client, v6: '2600:1f18:0:2::20', groups: ['sg-client'], subnet: 'subnet-2' })
    .log('fl-0a1', { at: 'vpc-1', format, objects: 'one' });
}

function after(built: Account, happen: (built: Account) => void): Account {
  happen(built);
  return built;
}

const answers = (format: LogFormat): Case => ({
  promise: `an answered connection is use of every rule that lets it in, in ${format}`,
  build: () =>
    after(
      account(format)
        .rule('sgr-wide', 'sg-server')
        .rule('sgr-host', 'sg-server', { CidrIpv4: `${client}/32` })
        .rule('sgr-group', 'sg-server', { ReferencedGroupInfo: { GroupId: 'sg-client', UserId: '123456789012' } })
        .rule('sgr-other-port', 'sg-server', { FromPort: 8443, ToPort: 8443 })
        .rule('sgr-other-source', 'sg-server', { CidrIpv4: '192.168.0.0/16' })
        .rule('sgr-at-client', 'sg-client', { FromPort: 443, ToPort: 443 }),
      (one) => session(one, { from: client, to: server, sport: 45_001, port: 443, at: on(4) }),
    ),
  expected: {
    'sgr-wide': 'used answered-traffic',
    'sgr-host': 'used answered-traffic',
    'sgr-group': 'used answered-traffic',
    'sgr-other-port': 'unused no-traffic',
    'sgr-other-source': 'unused no-traffic',
    'sgr-at-client': 'unused no-traffic',
  },
});

const replies = (format: LogFormat): Case => ({
  promise: `replies to outbound connections are no use of wide rules, in ${format}`,
  build: () =>
    after(
      account(format)
        .rule('sgr-high', 'sg-client', { FromPort: 1024, ToPort: 65_535 })
        .rule('sgr-ports', 'sg-client', { FromPort: 0, ToPort: 65_535, CidrIpv4: '0.0.0.0/0' })
        .rule('sgr-db', 'sg-server', { FromPort: 5432, ToPort: 5432 }),
      (one) => {
        for (const day of [1, 2, 9]) {
          session(one, { from: client, to: server, sport: 45_000 + day, port: 5432, at: on(day) });
          session(one, { from: client, to: '198.51.100.7', sport: 51_000 + day, port: 443, at: on(day) });
          session(one, { from: client, to: '10.9.9.9', sport: 50_000 + day, port: 8443, at: on(day) });
          exchange(one, { from: client, to: '10.9.9.9', sport: 41_000 + day, port: 53, at: on(day) });
        }
      },
    ),
  expected: {
    'sgr-high': 'no-effect already-allowed',
    'sgr-ports': 'unused no-traffic',
    'sgr-db': 'used answered-traffic',
  },
});

const scanners = (format: LogFormat): Case => ({
  promise: `a port that only scanners touched is unused, refused or not, in ${format}`,
  build: () =>
    after(
      account(format)
        .rule('sgr-closed', 'sg-server', { CidrIpv4: '0.0.0.0/0', FromPort: 3389, ToPort: 3389 })
        .rule('sgr-silent', 'sg-server', { CidrIpv4: '0.0.0.0/0', FromPort: 23, ToPort: 23 })
        .rule('sgr-range', 'sg-server', { CidrIpv4: '0.0.0.0/0', FromPort: 8000, ToPort: 8010 })
        .rule('sgr-firewalled', 'sg-server', { CidrIpv4: '10.66.0.0/16', FromPort: 22, ToPort: 22 }),
      (one) => {
        for (const day of [0, 3, 17, 29]) {
          scan(one, { from: '203.0.113.66', to: server, sport: 61_000 + day, port: 3389, at: on(day) });
          knock(one, { from: '203.0.113.66', to: server, sport: 61_100 + day, port: 23, at: on(day) });
          for (let port = 8000; port <= 8010; port += 1)
            scan(one, { from: '203.0.113.66', to: server, sport: 40_000, port, at: on(day) });
          refused(one, { from: '203.0.113.66', to: server, port: 22, at: on(day) });
        }
        session(one, { from: client, to: server, sport: 45_678, port: 8004, at: on(7) });
      },
    ),
  expected: {
    'sgr-closed': 'unused only-knocks',
    'sgr-silent': 'unused only-knocks',
    'sgr-range': 'narrow part-used',
    'sgr-firewalled': 'unused no-traffic',
  },
});

const traffic: readonly Case[] = [
  {
    promise:
      'prefix lists are matched by their entries, and one without entries is cannot-tell once somebody may be on it',
    build: () =>
      after(
        account()
          .rule('sgr-listed', 'sg-server', { PrefixListId: 'pl-0aa1' })
          .rule('sgr-not-on-it', 'sg-server', { PrefixListId: 'pl-0aa2', FromPort: 80, ToPort: 80 })
          .rule('sgr-no-entries', 'sg-server', { PrefixListId: 'pl-0aa3', FromPort: 25, ToPort: 25 })
          .document('describe-managed-prefix-lists', {
            PrefixLists: [{ PrefixListId: 'pl-0aa1', PrefixListName: 'clients' }],
          })
          .document('get-managed-prefix-list-entries-pl-0aa1', { Entries: [{ Cidr: '10.0.2.0/24' }] })
          .document('get-managed-prefix-list-entries-pl-0aa2', { Entries: [{ Cidr: '172.16.0.0/12' }] }),
        (one) => {
          for (const port of [443, 80, 25]) session(one, { from: client, to: server, port, at: on(3) });
        },
      ),
    expected: {
      'sgr-listed': 'used answered-traffic',
      'sgr-not-on-it': 'unused no-traffic',
      'sgr-no-entries': 'cannot-tell unknown-source',
    },
  },
  {
    promise: 'IPv6 has its own rules, and a group has its members’ IPv6 addresses',
    build: () =>
      after(
        account()
          .rule('sgr-v6', 'sg-server', { CidrIpv6: '2600:1f18:0:2::/64' })
          .rule('sgr-v6-other', 'sg-server', { CidrIpv6: '2600:1f18:0:3::/64' })
          .rule('sgr-v4', 'sg-server')
          .rule('sgr-group', 'sg-server', { ReferencedGroupInfo: { GroupId: 'sg-client' } }),
        (one) =>
          session(one, { from: '2600:1f18:0:2::20', to: '2600:1f18:0:1::10', sport: 45_001, port: 443, at: on(4) }),
      ),
    expected: {
      'sgr-v6': 'used answered-traffic',
      'sgr-v6-other': 'unused no-traffic',
      'sgr-v4': 'unused no-traffic',
      'sgr-group': 'used answered-traffic',
    },
  },
  {
    promise: 'a peer that is gone may have been a member of a group, a public one never',
    build: () =>
      after(
        account()
          .rule('sgr-gone', 'sg-server', { ReferencedGroupInfo: { GroupId: 'sg-client' } })
          .rule('sgr-public', 'sg-server', { ReferencedGroupInfo: { GroupId: 'sg-client' }, FromPort: 80, ToPort: 80 })
          .rule('sgr-far', 'sg-server', {
            ReferencedGroupInfo: { GroupId: 'sg-far', UserId: '999', VpcPeeringConnectionId: 'pcx-1' },
            FromPort: 22,
            ToPort: 22,
          }),
        (one) => {
          session(one, { from: '10.0.2.99', to: server, port: 443, at: on(4) });
          session(one, { from: '203.0.113.9', to: server, port: 80, at: on(4) });
          session(one, { from: '10.77.0.1', to: server, port: 22, at: on(4) });
        },
      ),
    expected: {
      'sgr-gone': 'cannot-tell unknown-source',
      'sgr-public': 'unused no-traffic',
      'sgr-far': 'cannot-tell unknown-source',
    },
  },
  {
    promise: 'a session older than the log is use, and one of ours through a wide rule is not',
    build: () =>
      after(
        account()
          .rule('sgr-db', 'sg-server', { FromPort: 5432, ToPort: 5432 })
          .rule('sgr-wide', 'sg-client', { FromPort: 1024, ToPort: 65_535 }),
        (one) => {
          for (let day = 0; day < 30; day += 1)
            middle(one, { from: client, to: server, sport: 45_001, port: 5432, at: on(day) });
        },
      ),
    expected: { 'sgr-db': 'used long-session', 'sgr-wide': 'unused no-traffic' },
  },
  {
    promise: 'one-way UDP is use, and UDP is no use of a rule for TCP',
    build: () =>
      after(
        account()
          .rule('sgr-syslog', 'sg-server', { IpProtocol: 'udp', FromPort: 514, ToPort: 514 })
          .rule('sgr-tcp', 'sg-server', { FromPort: 514, ToPort: 514 }),
        (one) => oneWay(one, { from: client, to: server, port: 514, at: on(11) }),
      ),
    expected: { 'sgr-syslog': 'used one-way', 'sgr-tcp': 'unused no-traffic' },
  },
  {
    promise: 'ICMP is use of the rule for ICMP, and of one for everything, which is then narrow',
    build: () =>
      after(
        account()
          .rule('sgr-icmp', 'sg-server', { IpProtocol: 'icmp', FromPort: -1, ToPort: -1 })
          .rule('sgr-echo', 'sg-server', { IpProtocol: 'icmp', FromPort: 8, ToPort: -1 })
          .rule('sgr-all', 'sg-server', { ...all, CidrIpv4: '10.0.2.0/24' })
          .rule('sgr-tcp', 'sg-server', { CidrIpv4: '10.0.0.0/9' }),
        (one) => ping(one, { from: client, to: server, at: on(11) }),
      ),
    expected: {
      'sgr-icmp': 'used answered-traffic',
      'sgr-echo': 'used answered-traffic',
      'sgr-all': 'narrow part-used',
      'sgr-tcp': 'unused no-traffic',
    },
  },
  {
    promise: 'a rule for all protocols is narrow by what came in, and unused in silence',
    build: () =>
      after(
        account()
          .rule('sgr-all', 'sg-server', { ...all, ReferencedGroupInfo: { GroupId: 'sg-client' } })
          .rule('sgr-self', 'sg-client', { ...all, ReferencedGroupInfo: { GroupId: 'sg-client' } }),
        (one) => session(one, { from: client, to: server, sport: 45_001, port: 9092, at: on(2) }),
      ),
    expected: { 'sgr-all': 'narrow part-used', 'sgr-self': 'unused no-traffic' },
  },
  {
    promise: 'equal rules and rules inside others have no effect where nothing comes in',
    build: () =>
      account()
        .rule('sgr-1', 'sg-server')
        .rule('sgr-2', 'sg-server', { Description: 'again' })
        .rule('sgr-3', 'sg-server', { CidrIpv4: '10.4.0.0/16' })
        .rule('sgr-4', 'sg-server', { FromPort: 443, ToPort: 444 }),
    expected: {
      'sgr-1': 'no-effect already-allowed',
      'sgr-2': 'no-effect already-allowed',
      'sgr-3': 'no-effect already-allowed',
      'sgr-4': 'unused no-traffic',
    },
  },
  {
    promise: 'outbound rules are not judged, and a group on nothing cannot be',
    build: () =>
      account()
        .rule('sgr-out', 'sg-server', { ...all, IsEgress: true, CidrIpv4: '0.0.0.0/0' })
        .rule('sgr-idle', 'sg-nobody'),
    expected: { 'sgr-out': 'cannot-tell egress-not-judged', 'sgr-idle': 'cannot-tell not-attached' },
  },
];

const rule = (built: Account) => built.rule('sgr-1', 'sg-server');
const one = (): Account => new Account().interface('eni-server', { ip: server, groups: ['sg-server'] });
const coverage = (promise: string, expected: string, build: () => Account): Case => ({
  promise,
  build: () => rule(build()),
  expected: { 'sgr-1': expected },
});

const silence: readonly Case[] = [
  coverage('silence in every hour is unused', 'unused no-traffic', () => one().log('fl-0a1', { at: 'vpc-1' })),
  coverage('silence in a log with one row a day is unused', 'unused no-traffic', () =>
    one().log('fl-0a1', { at: 'vpc-1', rhythm: 'days' }),
  ),
  coverage('columns in an order of the user’s own are found by name', 'unused no-traffic', () =>
    one().log('fl-0a1', { at: 'vpc-1', format: 'shuffled' }),
  ),
  coverage('a lost hour is cannot-tell', 'cannot-tell records-lost', () =>
    one()
      .log('fl-0a1', { at: 'vpc-1' })
      .row({ eni: 'eni-server', start: on(5), end: instant(on(5) + minute), status: 'SKIPDATA' }),
  ),
  coverage('a missing day is cannot-tell', 'cannot-tell missing-days', () =>
    one().log('fl-0a1', { at: 'vpc-1', without: [13] }),
  ),
  coverage('a missing day in a sparse log is cannot-tell', 'cannot-tell missing-days', () =>
    one().log('fl-0a1', { at: 'vpc-1', rhythm: 'days', without: [13] }),
  ),
  coverage('a flow log younger than the window is cannot-tell', 'cannot-tell log-young', () =>
    one().log('fl-0a1', { at: 'vpc-1', created: on(12, 0) }),
  ),
  coverage('a flow log of rejects is cannot-tell', 'cannot-tell rejects-only', () =>
    one().log('fl-0a1', { at: 'vpc-1', traffic: 'REJECT' }),
  ),
  coverage('a flow log of accepted packets is enough', 'unused no-traffic', () =>
    one().log('fl-0a1', { at: 'vpc-1', traffic: 'ACCEPT' }),
  ),
  coverage('a flow log whose delivery fails is cannot-tell', 'cannot-tell log-failing', () =>
    one().log('fl-0a1', { at: 'vpc-1', delivery: 'FAILED' }),
  ),
  coverage('a flow log at the subnet is enough', 'unused no-traffic', () => one().log('fl-0a1', { at: 'subnet-1' })),
  coverage('a flow log at the interface is enough', 'unused no-traffic', () =>
    one().log('fl-0a1', { at: 'eni-server' }),
  ),
  coverage('a flow log elsewhere is cannot-tell', 'cannot-tell no-flow-log', () =>
    one().log('fl-0a1', { at: 'subnet-9' }),
  ),
  coverage('a flow log of only some interfaces of the group is cannot-tell', 'cannot-tell no-flow-log', () =>
    one()
      .interface('eni-second', { ip: '10.0.5.5', groups: ['sg-server'], subnet: 'subnet-5' })
      .log('fl-0a1', { at: 'subnet-1' }),
  ),
  coverage('a flow log that replaced another continues it', 'unused no-traffic', () =>
    one()
      .log('fl-0a1', { at: 'vpc-1', ends: on(12, 0) })
      .log('fl-0a2', { at: 'vpc-1', created: on(12, 0) }),
  ),
  coverage('a log that ends early is cannot-tell', 'cannot-tell log-ends-early', () =>
    one().log('fl-0a1', { at: 'vpc-1', ends: on(29, 15 * hour) }),
  ),
  coverage('interfaces younger than the window are cannot-tell', 'cannot-tell young', () =>
    new Account()
      .interface('eni-server', { ip: server, groups: ['sg-server'], attached: on(20) })
      .log('fl-0a1', { at: 'vpc-1' }),
  ),
  coverage('one young interface beside an old one is judged', 'unused no-traffic', () =>
    one()
      .interface('eni-young', { ip: '10.0.5.5', groups: ['sg-server'], attached: on(20) })
      .log('fl-0a1', { at: 'vpc-1' }),
  ),
  coverage('a network load balancer cannot be seen whole', 'cannot-tell blind-spot', () =>
    new Account()
      .interface('eni-server', { ip: server, groups: ['sg-server'], type: 'network_load_balancer' })
      .log('fl-0a1', { at: 'vpc-1' }),
  ),
];

/** Every case; each is an account of its own. */
export const cases: readonly Case[] = [
  answers('v5'),
  answers('v2'),
  answers('shuffled'),
  replies('v5'),
  replies('v2'),
  scanners('v5'),
  scanners('v2'),
  ...traffic,
  ...silence,
];
