import { describe, expect, test } from '@jest/globals';
import { day, hour, parseInstant } from '../../../shared/base/time.ts';
import { issuer, leaf } from './certificates.ts';
import { daysTold, manualPlace, type ManualPlace } from './manual-place.ts';

const lifetime = { validUntil: { by: 'lifetime', ms: 90 * day } } as const;
const certificate = { validUntil: { by: 'certificate' } } as const;

describe('people are reminded', () => {
  test('before the end, then every day for a week, then every week, whether runs come daily or more often', async () => {
    const expected = [91, 114, 120, 121, 122, 123, 124, 125, 126, 127, 128, 135, 142, 149, 156];
    for (const pace of [8 * hour, day]) {
      const place = manualPlace();
      expect(await daysTold(place, 160 * day, pace)).toEqual(expected);
      expect(place.told.map(({ level }) => level)).toEqual(expected.map((at) => (at < 121 ? 'warning' : 'alarm')));
    }
  });

  test('with the end, the owner, how to renew it and what to do then; and the log has each', async () => {
    const place = manualPlace();
    place.world.pass(95 * day + hour);
    expect(await place.run()).toMatchObject({
      outcome: 'due',
      text: 'expires 2027-03-31, in 25 days; renew: ask ben for a new key at partner.example',
      told: 1,
    });
    expect(place.told[0]?.text.split('\n')).toEqual([
      'partner-api expires 2027-03-31, in 25 days (the end of that day in UTC).',
      'Owner: olga. To renew it: ask ben for a new key at partner.example',
      'Then put the new value where consumers read it: lockkeeper secret import partner-api, and its new end into `expires` in the configuration.',
    ]);
    expect(place.log.events).toMatchObject([
      {
        action: 'credential.remind',
        stage: 'fact',
        subject: { kind: 'credential', id: 'partner-api' },
        details: { expires: '2027-04-01T00:00:00Z', reminder: '2027-03-02T00:00:00Z', expired: false, by: 'date' },
      },
    ]);
  });

  test('once only of several reminders that were missed: the nearest', async () => {
    const place = manualPlace();
    place.world.pass(126 * day);
    expect(await place.run()).toMatchObject({ outcome: 'expired', told: 1 });
    expect(place.told[0]?.text).toMatch(/expired 2027-03-31, 5 days ago.*Consumers may be refused\./);
    expect(await place.run()).toMatchObject({ told: 0 });
  });

  test('so long after lockkeeper first saw the value, and anew once a version has another text', async () => {
    const place = manualPlace(lifetime);
    expect(await daysTold(place, 80 * day, day)).toEqual([60]);
    place.renew('second-key-of-the-partner-012345');
    expect(await place.run()).toMatchObject({ outcome: 'in-time', text: expect.stringMatching(/in 90 days/) });
    expect(await daysTold(place, 70 * day, day)).toEqual([60]);
    expect(place.told[1]?.text).toContain('one/partner was first seen to hold it at 2027-02-20');
  });

  test('of the same end where a store writes the same text anew, or goes back to an earlier version', async () => {
    const place = manualPlace(lifetime);
    await place.run();
    place.world.pass(10 * day);
    place.renew('first-key-of-the-partner-0123456789');
    expect(await place.run()).toMatchObject({ text: expect.stringMatching(/in 80 days/) });
    place.world.pass(10 * day);
    place.renew('second-key-of-the-partner-012345');
    expect(await place.run()).toMatchObject({ text: expect.stringMatching(/in 90 days/) });
    place.vaults['one']?.rollBack('partner');
    expect(await place.run()).toMatchObject({ text: expect.stringMatching(/in 70 days/) });
  });

  test('of what a certificate says itself: of a chain, of the part that ends first', async () => {
    const place = manualPlace(certificate, [{ form: 'pem' }]);
    place.renew(leaf);
    expect(await place.run()).toMatchObject({ outcome: 'in-time', expires: parseInstant('2027-03-31T02:38:09Z') });
    place.world.pass(day);
    place.renew(`${leaf}\n${issuer}\n`);
    expect(await place.run()).toMatchObject({ outcome: 'due', expires: parseInstant('2026-12-31T02:38:09Z') });
    expect(place.told[0]?.text).toContain('(the certificate of CN=issuing ca in one/partner)');
    place.renew(leaf);
    expect(await place.run()).toMatchObject({ outcome: 'in-time', told: 0 });
  });

  test('that the date in the configuration may be that of the value before', async () => {
    const place = manualPlace();
    await daysTold(place, 100 * day, day);
    place.renew('second-key-of-the-partner-012345');
    await daysTold(place, 15 * day, day);
    expect(place.told.at(-1)?.text).toMatch(/A new value is there since 2027-03-12.*change `expires`/);
  });
});

describe('people are told, once it has lasted an hour and then after growing pauses,', () => {
  test.each<readonly [string, (place: ManualPlace) => void, RegExp]>([
    [
      'that a store cannot be read',
      (place) => place.down.add('two'),
      /two\/partner cannot be read: two does not answer/,
    ],
    [
      'that a store holds nothing',
      (place) => place.vaults['two']?.put('partner', { ...empty }),
      /two\/partner holds nothing/,
    ],
    [
      'that stores differ',
      (place) => place.vaults['two']?.setByHand('partner', 'another-key'),
      /two\/partner does not hold the same value as one\/partner/,
    ],
  ])('%s', async (_, break_, text) => {
    const place = manualPlace({}, [{ form: 'plain' }, { form: 'plain' }]);
    await place.run();
    break_(place);
    expect((await daysTold(place, 10 * day, hour)).map((days) => days * 24)).toEqual([1, 25, 73, 169]);
    expect(place.told.map((notice) => notice.text)).toEqual(place.told.map(() => expect.stringMatching(text)));
    expect(await place.run()).toMatchObject({ outcome: 'unclear', problems: [expect.stringMatching(text)] });
    expect(place.log.events.map(({ action }) => action)).toEqual(place.told.map(() => 'credential.warn'));
    place.down.clear();
    place.renew('third-key-of-the-partner-0123456');
    expect(await place.run()).toMatchObject({ outcome: 'in-time', problems: [] });
    expect(await daysTold(place, 10 * day, hour)).toEqual([]);
  });

  test('that a place of the form pem holds no certificate', async () => {
    const place = manualPlace(certificate, [{ form: 'pem' }]);
    place.renew(`${leaf}\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`);
    expect(await place.run()).toMatchObject({ outcome: 'unclear', expires: undefined });
    expect(await daysTold(place, day - 1, hour)).toHaveLength(1);
    expect(place.told[0]?.text).toMatch(/holds no certificate, so nobody knows when it ends/);
  });

  test('of nothing where two forms hold the same value, and of no end where one store is down', async () => {
    const place = manualPlace(lifetime, [{ form: 'plain' }, { form: 'json' }]);
    place.vaults['two']?.setByHand('partner', '{"username":"us","password":"first-key-of-the-partner-0123456789"}');
    expect(await place.run()).toMatchObject({ outcome: 'in-time', problems: [] });
    place.vaults['two']?.setByHand('partner', '{"apiKey":"who knows"}');
    expect(await place.run()).toMatchObject({ problems: [] });
    place.down.add('one').add('two');
    expect(await place.run()).toMatchObject({ outcome: 'unclear', text: expect.stringMatching(/in 90 days/) });
  });
});

const empty = { shelf: { current: null, earlier: [], pending: null, promoted: [] }, unsettled: [], corrupt: false };
