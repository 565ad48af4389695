import { hour, instant, minute } from '../../shared/base/time.ts';
import { Account, on } from './account.ts';
import { attackers, type Victim } from './attackers.ts';
import type { LogFormat } from './log-rows.ts';
import { download, exchange, middle, session } from './traffic.ts';

/** An account in which every port is used by a client and attacked by somebody, each pair at an interface of its own. */
export interface Attacked {
  readonly account: Account;
  /** What is used and attacked, by rule id: which port how, and by which attacker. */
  readonly used: ReadonlyMap<string, { readonly port: number; readonly what: string }>;
  /** Rules that nobody used, whatever the attackers sent. */
  readonly unused: ReadonlySet<string>;
}

interface Shape {
  readonly name: string;
  readonly port: number;
  readonly rule: object;
}

const shapes: readonly Shape[] = [
  { name: '443', port: 443, rule: { FromPort: 443, ToPort: 443 } },
  { name: '443 of 0–65535', port: 443, rule: { FromPort: 0, ToPort: 65_535 } },
  { name: '8080 of 1024–65535', port: 8080, rule: { FromPort: 1024, ToPort: 65_535 } },
  { name: '50123 of 1024–65535', port: 50_123, rule: { FromPort: 1024, ToPort: 65_535 } },
  { name: '50123 of 50100–50199', port: 50_123, rule: { FromPort: 50_100, ToPort: 50_199 } },
];

const days = (many: number): readonly number[] => Array.from({ length: many }, (_, index) => 3 + 9 * index);

const talks: Readonly<Record<string, (account: Account, victim: Victim) => void>> = {
  'new connections': (account, victim) => session(account, talkOf(victim)),
  'a session older than the log': (account, victim) => {
    for (const day of days(3)) middle(account, { ...talkOf(victim), at: instant(victim.at + (day - 3) * 24 * hour) });
  },
  'a download older than the log': (account, victim) => download(account, talkOf(victim)),
  'a download that a reset ends': (account, victim) => download(account, talkOf(victim), 4),
  'questions in UDP': (account, victim) => exchange(account, talkOf(victim)),
};

function talkOf({ client, server, sport, port, at }: Victim) {
  return { from: client, to: server, sport, port, at, network: 'vpc-1' };
}

/** Every port shape × kind of use × port of the client × attacker. */
export function attackedAccount(format: LogFormat): Attacked {
  const account = new Account().log('fl-0a1', {
    at: 'vpc-1',
    holds: ['vpc-2'],
    format,
    objects: 'one',
    rhythm: 'days',
  });
  const used = new Map<string, { port: number; what: string }>();
  let index = 0;
  for (const shape of shapes)
    for (const [talk, begin] of Object.entries(talks))
      for (const sport of talk.startsWith('a session') ? [45_001, 2_000] : [2_000])
        for (const [attacker, attack] of Object.entries(attackers)) {
          index += 1;
          const victim = victimOf(account, { index, shape, sport, isUdp: talk === 'questions in UDP' });
          begin(account, victim);
          attack(account, victim);
          const what = `${shape.name}, ${talk} from port ${sport}, hidden by ${attacker}`;
          used.set(`sgr-${index}`, { port: shape.port, what });
        }
  return { account, used, unused: quiet(account, format) };
}

function victimOf(
  account: Account,
  { index, shape, sport, isUdp }: { index: number; shape: Shape; sport: number; isUdp: boolean },
): Victim {
  const [high, low] = [Math.floor(index / 250), 1 + (index % 250)];
  const [server, client] = [`10.1.${high}.${low}`, `10.2.${high}.${low}`];
  const eni = `eni-${index}`;
  account.interface(eni, { ip: server, groups: [`sg-${index}`] });
  // Every other client has an interface here; the rest are somewhere outside.
  if (index % 2 === 0) account.interface(`${eni}-client`, { ip: client, groups: ['sg-clients'] });
  account.rule(`sgr-${index}`, `sg-${index}`, { ...shape.rule, IpProtocol: isUdp ? 'udp' : 'tcp' });
  const at = on(3, 9 * hour + (index % 60) * minute);
  return { eni, server, client, sport, port: shape.port, protocol: isUdp ? 17 : 6, at };
}

/** Where nobody comes in, nothing is used: not for replies to what local began, nor for spoofed packets nobody answers. */
function quiet(account: Account, format: LogFormat): ReadonlySet<string> {
  const [web, database] = ['198.51.100.7', '10.3.0.2'];
  account
    .interface('eni-quiet', { ip: '10.3.0.1', groups: ['sg-quiet'] })
    .interface('eni-database', { ip: database, groups: ['sg-database'] })
    .rule('sgr-quiet-wide', 'sg-quiet', { FromPort: 1024, ToPort: 65_535 })
    .rule('sgr-quiet-ssh', 'sg-quiet', { FromPort: 22, ToPort: 22 })
    .rule('sgr-database', 'sg-database', { FromPort: 5432, ToPort: 5432 });
  for (const day of days(3)) {
    const at = on(day);
    session(account, { from: '10.3.0.1', to: web, sport: 50_000 + day, port: 443, at });
    session(account, { from: '10.3.0.1', to: database, sport: 41_000 + day, port: 5432, at });
    // Without flags, nothing that the log shows tells who began this one.
    if (format !== 'v2') session(account, { from: '10.3.0.1', to: '10.9.9.9', sport: 52_000, port: 8443, at });
    exchange(account, { from: '10.3.0.1', to: '10.9.9.9', sport: 41_000 + day, port: 53, at });
  }
  return new Set(['sgr-quiet-wide', 'sgr-quiet-ssh']);
}
