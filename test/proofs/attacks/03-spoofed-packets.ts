import { attackedAccount } from '../../snapshot/attacked-account.ts';
import { attackers } from '../../snapshot/attackers.ts';
import type { LogFormat } from '../../snapshot/log-rows.ts';
import { judged } from '../../snapshot/run-scan.ts';
import { mustHold, type Attack } from './attack.ts';

/**
 * Whoever can send packets, with whatever source, ports and flags, at whatever time, or has a host elsewhere with an
 * address of ours, tries to make a used port look idle: in the flow logs of an account, with and without flags, read and
 * judged by `lockkeeper scan --snapshot`.
 */
async function run(): Promise<string> {
  let ports = 0;
  let quiet = 0;
  for (const format of ['v5', 'v2'] as const) {
    const { used, unused } = await tryIn(format);
    ports += used;
    quiet += unused;
  }
  const kinds = Object.keys(attackers).length;
  return `${kinds} ways of spoofing and of sharing an address against ${ports} used ports, with and without flags: none became idle; ${quiet} ports that nobody used are still unused`;
}

async function tryIn(format: LogFormat): Promise<{ readonly used: number; readonly unused: number }> {
  const { account, used, unused } = attackedAccount(format);
  const { verdicts } = await judged(account);
  for (const { rule, verdict, reasons, usedPorts } of verdicts) {
    const { port = 0, what = '' } = used.get(rule) ?? {};
    const isKept = usedPorts.some(({ from, to }) => from <= port && port <= to);
    const isIdle = verdict === 'unused' || verdict === 'no-effect' || (verdict === 'narrow' && !isKept);
    mustHold(!used.has(rule) || !isIdle, `${format}: ${what}: it is ${verdict}: ${reasons[0]?.text}`);
    if (unused.has(rule) && verdict !== 'unused')
      throw new Error(`${format}: ${rule}, which nobody used, is ${verdict}: ${reasons[0]?.text}`);
  }
  return { used: used.size, unused: unused.size };
}

const initiator = 'shared/idle-ports/judging/initiator';

export const attack: Attack = {
  number: 3,
  about: 'a host that sends packets hides the use of a port',
  run,
  switchedBack: [
    {
      name: 'a-syn-ack-that-came-in-is-our-own-syn',
      file: 'shared/flow-logs/formats/aws-vpc.ts',
      find: 'WHEN flags & 18 = 18 THEN CASE WHEN out THEN ${code.answered} ELSE ${code.in} END',
      replace: "WHEN flags & 18 = 18 THEN CASE WHEN out THEN ${code.answered} ELSE ${code['opened-out']} END",
    },
    {
      name: 'an-address-vouches-in-every-network',
      file: 'shared/idle-ports/judging/match/peers.ts',
      find: 'return this.#know(address).owners.filter(({ id }) => this.#networks.get(id) === network);',
      replace: 'return this.#know(address).owners;',
    },
    {
      name: 'whoever-answered-listens',
      file: `${initiator}/replies.ts`,
      find: 'return isListening && about.letsIn(',
      replace: 'return isListening || about.letsIn(',
    },
    {
      name: 'our-syns-explain-what-is-older',
      file: `${initiator}/replies.ts`,
      find: 'const isOrdered = inbound.first + rowDelayMs >= own.first && ',
      replace: 'const isOrdered = ',
    },
    {
      name: 'any-syn-of-ours-explains-a-client-port',
      file: `${initiator}/replies.ts`,
      find: 'if (!own || !spans(own, inbound)) return false;',
      replace: 'if (!own) return false;\n  if (own) return true;',
    },
    {
      name: 'small-packets-hide-an-answer',
      file: `${initiator}/sizes.ts`,
      find: 'return largest > sizesFor(peer).reset;',
      replace: 'return largest > sizesFor(peer).empty;',
    },
    {
      name: 'a-syn-makes-a-session-a-knock',
      file: `${initiator}/initiator.ts`,
      find: "if (isSpokenTo(conversation, seen, about)) return oneUse(conversation, seen, 'long-session');",
      replace: '',
    },
    {
      name: 'beyond-the-cap-nobody-was-spoken-to',
      file: `${initiator}/surroundings.ts`,
      find: '(one.peer === undefined ? index.anyOut : index.cappedOut)',
      replace: 'index.cappedOut',
    },
    {
      name: 'a-reset-makes-a-download-a-refusal',
      file: `${initiator}/initiator.ts`,
      find: 'const more = refused && isMoreThanResets(refused, conversation.peer) ? refused : undefined;',
      replace: 'const more = undefined;',
    },
    {
      name: 'between-two-sessions-there-is-nothing',
      file: `${initiator}/initiator.ts`,
      find: 'if (mine.length === 0 || inbound.portLow !== inbound.portHigh)',
      replace: 'if (mine.length === 0)',
    },
  ],
};
