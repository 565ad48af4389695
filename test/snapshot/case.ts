import { Account } from './account.ts';
import type { LogFormat } from './log-rows.ts';

/** Labelled traffic: what an account holds, and the verdict and first reason that each rule must get. */
export interface Case {
  readonly promise: string;
  readonly build: () => Account;
  /** By rule id. */
  readonly expected: Readonly<Record<string, string>>;
}

/** Every packet of every protocol, in the API's own fields. */
export const all = { IpProtocol: '-1', FromPort: -1, ToPort: -1 };
export const server = '10.0.1.10';
export const client = '10.0.2.20';

/** A server with one group and a client with another, logged at the network in every hour. */
export function account(format: LogFormat = 'v5'): Account {
  return new Account()
    .interface('eni-server', { ip: server, v6: '2600:1f18:0:1::10', groups: ['sg-server'] })
    .interface('eni-client', { ip: client, v6: '2600:1f18:0:2::20', groups: ['sg-client'], subnet: 'subnet-2' })
    .log('fl-0a1', { at: 'vpc-1', format, objects: 'one' });
}

/** The account after something happened in it. */
export function after(built: Account, happen: (built: Account) => void): Account {
  happen(built);
  return built;
}
