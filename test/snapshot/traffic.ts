import { instant, minute, second, type Instant } from '../../shared/base/time.ts';
import type { Account } from './account.ts';

/** Who talks to whom, from the side that begins. */
export interface Talk {
  readonly from: string;
  readonly to: string;
  /** Port of the side that begins. */
  readonly sport?: number;
  /** Port of the side that is talked to. */
  readonly port: number;
  readonly at: Instant;
  /** The network in which both addresses are meant; all networks that have them where it is not told. */
  readonly network?: string;
}

interface Way {
  readonly packets: number;
  readonly bytes: number;
  readonly flags: number;
}

/**
 * A short session: begun, answered, data both ways, ended. Logged at every interface of the account that it touches.
 */
export function session(account: Account, talk: Talk): void {
  both(
    account,
    { ...talk, protocol: 6 },
    { there: { packets: 9, bytes: 1800, flags: 3 }, back: { packets: 8, bytes: 7200, flags: 19 } },
  );
}

/** The middle of a session that began before: data both ways, no flag. */
export function middle(account: Account, talk: Talk): void {
  both(
    account,
    { ...talk, protocol: 6 },
    { there: { packets: 40, bytes: 9000, flags: 0 }, back: { packets: 44, bytes: 40_000, flags: 0 } },
  );
}

/** The middle of a long download, or its end: the client sends nothing but acknowledgements. */
export function download(account: Account, talk: Talk, flags = 0): void {
  both(
    account,
    { ...talk, protocol: 6 },
    { there: { packets: 20, bytes: 1040, flags: 0 }, back: { packets: 40, bytes: 60_000, flags } },
  );
}

/** One SYN to a port where nobody listens: a reset comes back. */
export function scan(account: Account, talk: Talk): void {
  both(
    account,
    { ...talk, protocol: 6 },
    { there: { packets: 1, bytes: 44, flags: 2 }, back: { packets: 1, bytes: 40, flags: 4 } },
  );
}

/** SYNs that nobody answers. */
export function knock(account: Account, talk: Talk): void {
  both(account, { ...talk, protocol: 6 }, { there: { packets: 3, bytes: 180, flags: 2 } });
}

/** Datagrams that need no answer. */
export function oneWay(account: Account, talk: Talk): void {
  both(account, { ...talk, protocol: 17 }, { there: { packets: 5, bytes: 900, flags: 0 } });
}

/** A question and its answer in UDP. */
export function exchange(account: Account, talk: Talk): void {
  both(
    account,
    { ...talk, protocol: 17 },
    { there: { packets: 1, bytes: 70, flags: 0 }, back: { packets: 1, bytes: 200, flags: 0 } },
  );
}

/** Echo requests and their replies. */
export function ping(account: Account, talk: Omit<Talk, 'port'>): void {
  both(
    account,
    { ...talk, port: 0, sport: 0, protocol: 1 },
    { there: { packets: 4, bytes: 336, flags: 0 }, back: { packets: 4, bytes: 336, flags: 0 } },
  );
}

/** A connection that the firewall refused at the interface of `to`. */
export function refused(account: Account, talk: Talk): void {
  const { from, to, sport = 40_000, port, at, network } = talk;
  for (const eni of account.at(to, network)) {
    account.row({
      eni,
      src: from,
      dst: to,
      sport,
      dport: port,
      protocol: 6,
      packets: 1,
      bytes: 60,
      flags: 2,
      action: 'REJECT',
      direction: 'ingress',
      ...times(at),
    });
  }
}

function times(at: Instant): { readonly start: Instant; readonly end: Instant; readonly status: 'OK' } {
  return { start: at, end: instant(at + 30 * second), status: 'OK' };
}

function both(
  account: Account,
  talk: Talk & { readonly protocol: number },
  { there, back }: { readonly there: Way; readonly back?: Way },
): void {
  const { from, to, sport = 40_000, port, at, protocol, network } = talk;
  const forth = { src: from, dst: to, sport, dport: port, protocol, action: 'ACCEPT', ...times(at), ...there } as const;
  const reply = {
    src: to,
    dst: from,
    sport: port,
    dport: sport,
    protocol,
    action: 'ACCEPT',
    ...times(at),
    ...back,
  } as const;
  for (const eni of account.at(to, network)) {
    account.row({ ...forth, eni, direction: 'ingress' });
    if (back) account.row({ ...reply, eni, direction: 'egress' });
  }
  for (const eni of account.at(from, network)) {
    account.row({ ...forth, eni, direction: 'egress' });
    if (back) account.row({ ...reply, eni, direction: 'ingress' });
  }
}

/** A time some minutes later. */
export function minutesAfter(at: Instant, minutes: number): Instant {
  return instant(at + minutes * minute);
}
