import { describe, expect, test } from '@jest/globals';
import { at, eniServer, group, opening, place, row, verdictOf, verdictsOf } from './judge-facts.ts';

const unknown = (privateOnly: boolean) => [
  opening({ from: [{ kind: 'unknown', name: 'pl-1', why: 'its entries are not here', privateOnly }] }),
];
const answered = (peer: string | undefined) => [row('opened-in', { peer }), row('answered', { peer })];

describe('a source', () => {
  const members = group('sg-9', '10.0.2.20');
  const here = place('eni-client', ['10.0.2.20']);

  test('that is a group lets its members in', () => {
    expect(
      verdictOf({ openings: [opening({ from: members })], interfaces: [eniServer, here], rows: answered('10.0.2.20') }),
    ).toBe('used answered-traffic');
  });

  test('that is a group lets no other known interface in, and no public address', () => {
    const other = place('eni-other', ['10.0.2.21']);
    const openings = [opening({ from: members })];
    expect(verdictOf({ openings, interfaces: [eniServer, here, other], rows: answered('10.0.2.21') })).toBe(
      'unused no-traffic',
    );
    expect(verdictOf({ openings, interfaces: [eniServer, here], rows: answered('203.0.113.9') })).toBe(
      'unused no-traffic',
    );
  });

  test('that is a group may have had a member that is gone', () => {
    const openings = [opening({ from: members })];
    expect(verdictOf({ openings, interfaces: [eniServer, here], rows: answered('10.0.2.99') })).toBe(
      'cannot-tell unknown-source',
    );
    const heir = place('eni-heir', ['10.0.2.99'], { attachedAt: at(20) });
    expect(verdictOf({ openings, interfaces: [eniServer, here, heir], rows: answered('10.0.2.99') })).toBe(
      'cannot-tell unknown-source',
    );
  });

  test('that is a group is not in doubt where another opening surely let the packets in', () => {
    const openings = [opening({ from: members }), opening({ id: 'sgr-2', from: '10.0.2.0/24' })];
    expect(
      verdictsOf({ openings, interfaces: [eniServer, here], rows: answered('10.0.2.99') }).map(
        ({ verdict }) => verdict,
      ),
    ).toEqual(['no-effect', 'used']);
  });

  test('that nobody can list may be anybody, or only somebody inside', () => {
    expect(verdictOf({ openings: unknown(false), rows: answered('203.0.113.9') })).toBe('cannot-tell unknown-source');
    expect(verdictOf({ openings: unknown(true), rows: answered('203.0.113.9') })).toBe('unused no-traffic');
    expect(verdictOf({ openings: unknown(true), rows: answered('10.3.3.3') })).toBe('cannot-tell unknown-source');
    expect(verdictOf({ openings: unknown(false) })).toBe('unused no-traffic');
  });

  test('matches peers beyond the cap, whoever they are', () => {
    expect(verdictOf({ openings: [opening({ from: members })], rows: answered(undefined) })).toBe(
      'used answered-traffic,peers-capped',
    );
  });

  test('in IPv6 is matched as a number, and IPv4 written as IPv6 is IPv4', () => {
    expect(
      verdictOf({ openings: [opening({ from: '2001:db8:0:1::/64' })], rows: answered('2001:db8::1:0:0:0:7') }),
    ).toBe('used answered-traffic');
    expect(verdictOf({ openings: [opening({ from: '2001:db8:0:1::/64' })], rows: answered('2001:db8:0:2::7') })).toBe(
      'unused no-traffic',
    );
    expect(verdictOf({ openings: [opening({ from: '::/0' })], rows: answered('10.0.2.20') })).toBe('unused no-traffic');
    expect(verdictOf({ rows: answered('::ffff:10.0.2.20') })).toBe('used answered-traffic');
  });

  test('that is a group has inside IPv6 addresses of its network, although they are public by standard', () => {
    const both = place(eniServer.id, ['10.0.1.10', '2600:1f18:aaaa:bb01::10']);
    const openings = [opening({ from: members })];
    expect(verdictOf({ openings, interfaces: [both, here], rows: answered('2600:1f18:aaaa:bb77::9') })).toBe(
      'cannot-tell unknown-source',
    );
    expect(verdictOf({ openings, interfaces: [both, here], rows: answered('2600:1f18:cccc:bb77::9') })).toBe(
      'unused no-traffic',
    );
  });
});
