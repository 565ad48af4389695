import { hour, instant, minute } from '../../shared/base/time.ts';
import { Account, on } from './account.ts';
import { server, type Case } from './case.ts';

const rule = (built: Account) => built.rule('sgr-1', 'sg-server');
const one = (): Account => new Account().interface('eni-server', { ip: server, groups: ['sg-server'] });
const coverage = (promise: string, expected: string, build: () => Account): Case => ({
  promise,
  build: () => rule(build()),
  expected: { 'sgr-1': expected },
});

/** What silence proves, log by log. */
export const silence: readonly Case[] = [
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
