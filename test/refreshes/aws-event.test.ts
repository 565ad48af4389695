import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { after, formatInstant } from '../../shared/base/time.ts';
import { awsEventRefresh, type AwsEventOptions } from '../../shared/refreshes/aws-event.ts';
import {
  awsBusArn,
  awsEventsRegion,
  startAwsEvents,
  type AwsEventsFault,
  type AwsEventsStandIn,
} from '../clouds/aws-events.ts';
import { news, refreshSuite, type Manner, type RefreshHarness } from '../conformance/refresh.ts';
import { PlantedSecret } from '../planted-secret.ts';
import { testWorld } from '../world.ts';

const planted = new PlantedSecret();
const detail = z.strictObject({
  receiver: z.string(),
  credential: z.string(),
  rotation: z.string(),
  secrets: z.array(z.strictObject({ store: z.string(), secret: z.string() })),
});

let events: AwsEventsStandIn;
beforeEach(async () => {
  events = await startAwsEvents(planted.bare());
  events.buses.set('apps', []);
});
afterEach(() => events.close());

const bus = (options: Partial<AwsEventOptions> = {}) =>
  awsEventRefresh({
    ...events.place,
    region: awsEventsRegion,
    name: 'web',
    bus: 'apps',
    world: testWorld(),
    answerMs: 10_000,
    ...options,
  });

const on = (name: string) => (events.buses.get(name) ?? []).map((event) => detail.parse(event.detail));

async function harness(): Promise<RefreshHarness> {
  const denied = { entry: 'NotAuthorizedForSourceException', message: 'Not authorized for the source.' };
  const faults: Readonly<Record<Manner, AwsEventsFault | undefined>> = {
    well: undefined,
    refuses: denied,
    silent: 'mute',
    loses: 'lost-after',
  };
  return {
    one: bus({ bus: 'default' }),
    two: bus({ bus: awsBusArn('default') }),
    hasty: bus({ bus: 'default', answerMs: 500 }),
    ending(inMs) {
      const world = testWorld();
      world.setDeadline(after(world.now(), inMs));
      return bus({ bus: 'default', world, answerMs: 60_000 });
    },
    observe: async () => on('default'),
    behave: async (manner) => events.failAlways(faults[manner]),
    planted,
    sent: async () => events.requests,
    close: async () => {},
  };
}

refreshSuite('aws-event', harness);

describe('an event on a bus of EventBridge', () => {
  const one = news('db', 'r-1');

  test('has the source and the type that rules match, and in it what changed', async () => {
    const world = testWorld();
    await bus({ world }).poke(one);
    expect(events.buses.get('apps')).toEqual([
      {
        id: expect.any(String),
        source: 'lockkeeper',
        'detail-type': 'Credential Rotated',
        time: new Date(formatInstant(world.now())).toISOString(),
        detail: { receiver: 'web', ...one },
      },
    ]);
    expect(on('default')).toEqual([]);
  });

  test('takes one request more the first time, that looks whether the bus is there; none for the default bus', async () => {
    const refresh = bus();
    await refresh.poke(one);
    await refresh.poke(one);
    await bus({ bus: 'default' }).poke(one);
    expect(events.asked).toEqual(['DescribeEventBus', 'PutEvents', 'PutEvents', 'PutEvents']);
  });

  test('is not put on a bus that is not there, for EventBridge would take it and drop it', async () => {
    for (const name of ['no-such-bus', awsBusArn('no-such-bus')])
      await expect(bus({ bus: name }).poke(one)).rejects.toMatchObject({ code: 'not-found' });
    expect(events.asked).not.toContain('PutEvents');
    const refresh = bus({ bus: 'later' });
    await expect(refresh.poke(one)).rejects.toMatchObject({ code: 'not-found' });
    events.buses.set('later', []);
    await refresh.poke(one);
    expect(on('later')).toHaveLength(1);
  });

  test('where the bus may not be looked up: is put on one of another account, and on none of the own', async () => {
    const refused = { status: 400, type: 'AccessDeniedException', message: 'not authorized' };
    events.fail(refused);
    await bus({ bus: awsBusArn('apps') }).poke(one);
    expect(on('apps')).toHaveLength(1);
    events.fail(refused);
    await expect(bus().poke(one)).rejects.toMatchObject({
      code: 'denied',
      hint: expect.stringContaining('events:DescribeEventBus'),
    });
  });

  test('goes to the region of the ARN where none is named', async () => {
    await awsEventRefresh({ ...events.place, name: 'web', bus: awsBusArn('apps'), world: testWorld() }).poke(one);
    expect(on('apps')).toHaveLength(1);
    await expect(bus({ region: 'us-east-1' }).poke(one)).rejects.toMatchObject({ code: 'denied' });
  });

  test.each([
    ['ThrottlingException', 'throttled'],
    ['InternalFailure', 'unreachable'],
    ['InternalException', 'unreachable'],
    ['AccessDeniedException', 'denied'],
    ['NotAuthorizedForSourceException', 'denied'],
    ['NotAuthorizedForDetailTypeException', 'denied'],
    ['InvalidArgument', 'rejected'],
    ['InvalidAccountIdException', 'rejected'],
    ['MalformedDetail', 'rejected'],
    ['RedactionFailure', 'rejected'],
    ['UnheardOf', 'rejected'],
  ])('that failed as an entry by %s is %s, though HTTP said 200', async (entry, code) => {
    events.fail({ entry, message: 'because \u202eof it' });
    await expect(bus({ bus: 'default' }).poke(one)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(new RegExp(`because \\\\u202eof it \\(${entry}, .*request stand-in-1`)),
    });
    expect(on('default')).toEqual([]);
  });

  test.each([
    ['ThrottlingException', 400, 'throttled'],
    ['AccessDeniedException', 400, 'denied'],
    ['ExpiredTokenException', 400, 'denied'],
    ['InternalException', 500, 'uncertain'],
    ['ServiceUnavailable', 503, 'throttled'],
  ])('that is refused whole by %s (HTTP %i) is %s', async (type, status, code) => {
    events.fail({ type, status, message: 'no' });
    await expect(bus({ bus: 'default' }).poke(one)).rejects.toMatchObject({ code, hint: expect.any(String) });
  });

  test('whose answer names neither an event nor an error is uncertain', async () => {
    events.fail('empty');
    await expect(bus({ bus: 'default' }).poke(one)).rejects.toMatchObject({ code: 'uncertain' });
  });

  test('that was lost before it arrived is uncertain too, and to nobody is unreachable', async () => {
    events.fail('lost-before');
    await expect(bus({ bus: 'default' }).poke(one)).rejects.toMatchObject({ code: 'uncertain' });
    await events.close();
    await expect(bus({ bus: 'default' }).poke(one)).rejects.toMatchObject({ code: 'unreachable' });
    events = await startAwsEvents();
  });
});
