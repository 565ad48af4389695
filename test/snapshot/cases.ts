import { on } from './account.ts';
import { account, after, client, server, type Case } from './case.ts';
import type { LogFormat } from './log-rows.ts';
import { silence } from './silence-cases.ts';
import { exchange, knock, refused, scan, session } from './traffic.ts';
import { traffic } from './traffic-cases.ts';

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
          // Without flags, a fan to an unusual port is no proof: see the case below.
          const unusual = format === 'v5' ? 8443 : 443;
          session(one, { from: client, to: '10.9.9.9', sport: 50_000 + day, port: unusual, at: on(day) });
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

const unusualReplies: Case = {
  promise: 'replies from an unusual port, in a log without flags, may be clients: wide rules are used',
  build: () =>
    after(account('v2').rule('sgr-ports', 'sg-client', { FromPort: 0, ToPort: 65_535 }), (one) => {
      for (const day of [1, 2, 9])
        session(one, { from: client, to: '10.9.9.9', sport: 50_000 + day, port: 8443, at: on(day) });
    }),
  expected: { 'sgr-ports': 'used direction-unclear' },
};

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

/** Every case; each is an account of its own. */
export const cases: readonly Case[] = [
  answers('v5'),
  answers('v2'),
  answers('shuffled'),
  replies('v5'),
  replies('v2'),
  unusualReplies,
  scanners('v5'),
  scanners('v2'),
  ...traffic,
  ...silence,
];
