import { on } from './account.ts';
import { account, after, all, client, server, type Case } from './case.ts';
import { middle, oneWay, ping, session } from './traffic.ts';

/** What one kind of traffic is use of. */
export const traffic: readonly Case[] = [
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
