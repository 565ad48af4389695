import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { z } from 'zod';
import { Sealed } from '../../shared/base/sealed.ts';
import { after, formatInstant, instant } from '../../shared/base/time.ts';
import { httpRefresh, type HttpRefreshOptions } from '../../shared/refreshes/http.ts';
import { startWebhookReceiver, type WebhookReceiver, type WebhookRequest } from '../clouds/webhook-receiver.ts';
import { news, refreshSuite, type Manner, type RefreshHarness } from '../conformance/refresh.ts';
import { PlantedSecret } from '../planted-secret.ts';
import { testWorld } from '../world.ts';

const planted = new PlantedSecret(`whsec_${Buffer.from('a key of thirty-two bytes, +/==!').toString('base64')}`);
const message = z.strictObject({
  type: z.literal('credential.rotated'),
  timestamp: z.string(),
  data: z.strictObject({
    credential: z.string(),
    rotation: z.string(),
    secrets: z.array(z.strictObject({ store: z.string(), secret: z.string() })),
  }),
});

let receiver: WebhookReceiver;
beforeEach(async () => {
  receiver = await startWebhookReceiver();
});
afterEach(() => receiver.close());

/** Receivers compare the time that was signed with their own clock. */
const worldOfToday = () => testWorld(formatInstant(instant(Date.now())));

const http = (options: Partial<HttpRefreshOptions> = {}) =>
  httpRefresh({
    name: 'web',
    url: `${receiver.url}/reload`,
    key: async () => planted.sealed(),
    world: worldOfToday(),
    answerMs: 10_000,
    ...options,
  });

/** What the published library for receivers makes of a request; throws where the signature is not of this key. */
function verified({ headers, body }: WebhookRequest, key = planted.bare()): z.infer<typeof message> {
  const texts = Object.entries(headers).flatMap(([name, value]) =>
    typeof value === 'string' ? [[name, value] as const] : [],
  );
  return message.parse(new Webhook(key).verify(body, Object.fromEntries(texts)));
}

async function harness(): Promise<RefreshHarness> {
  const answers = { well: 204, refuses: 422, silent: 'mute', loses: 'lost' } as const satisfies Record<Manner, unknown>;
  return {
    one: http(),
    two: http(),
    hasty: http({ answerMs: 500 }),
    ending(inMs) {
      const world = worldOfToday();
      world.setDeadline(after(world.now(), inMs));
      return http({ world, answerMs: 60_000 });
    },
    observe: async () =>
      receiver.requests.filter(({ answer }) => answer !== answers.refuses).map((request) => verified(request).data),
    behave: async (manner) => receiver.answerWith(answers[manner]),
    planted,
    sent: async () => receiver.requests,
    close: async () => {},
  };
}
refreshSuite('http', harness);

describe('a message over http', () => {
  const one = news('db', 'r-1');

  test('is one POST of JSON, that any library for Standard Webhooks verifies', async () => {
    const world = worldOfToday();
    await http({ world }).poke(one);
    expect(receiver.requests).toHaveLength(1);
    const [request] = receiver.requests;
    expect(request).toMatchObject({
      method: 'POST',
      path: '/reload',
      headers: { 'content-type': 'application/json', 'webhook-id': 'r-1:web', 'user-agent': 'lockkeeper' },
    });
    expect(request && verified(request)).toEqual({
      type: 'credential.rotated',
      timestamp: formatInstant(world.now()),
      data: one,
    });
  });

  test('has the id of its rotation and its receiver, the same each time it is repeated; its time is of now', async () => {
    const world = worldOfToday();
    await http({ world }).poke(one);
    world.pass(120_000);
    await http({ world }).poke(one);
    await http({ world, name: 'api' }).poke(one);
    await http({ world }).poke(news('db', 'r-2'));
    const ids = receiver.requests.map(({ headers }) => headers['webhook-id']);
    expect(ids).toEqual(['r-1:web', 'r-1:web', 'r-1:api', 'r-2:web']);
    const times = receiver.requests.map(({ headers }) => Number(headers['webhook-timestamp']));
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBe(120);
  });

  test('has an id without a full stop, blank or sign that steers, and different names stay different', async () => {
    const names = ['a.b', 'a%2Eb', 'a%2eb', 'a b', 'a:b', 'a\r\nx: y', 'ä', "a'(!*)~"];
    for (const name of names) await http().poke(news('db', name));
    const ids = receiver.requests.map(({ headers }) => headers['webhook-id']);
    expect(new Set(ids).size).toBe(names.length);
    for (const id of ids) expect(id).toMatch(/^[\w%-]+:web$/);
  });

  test('is signed by a changed key from the next call on, and by both keys while two are there', async () => {
    const other = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;
    const keys = [planted.bare(), `${other}\n${planted.bare()}\n`, other];
    const refresh = http({ key: async () => new Sealed(keys.shift() ?? '') });
    for (let i = 0; i < 3; i += 1) await refresh.poke(one);
    const [first, both, last] = receiver.requests;
    if (!first || !both || !last) throw new Error('three messages were sent');
    expect(() => verified(first, other)).toThrow('No matching signature');
    expect([verified(both), verified(both, other)].map(({ data }) => data)).toEqual([one, one]);
    expect(() => verified(last)).toThrow('No matching signature');
    expect(verified(last, other).data).toEqual(one);
  });

  test('is not sent where the key is none, and the error holds nothing of it', async () => {
    const bare = planted.bare().slice('whsec_'.length);
    const wrong = ['', bare, `whsec_`, `whsec_${bare}!`, 'whsec_c2hvcnQ=', `whsk_${bare}`, `"${planted.bare()}"`];
    for (const text of [
      ...wrong,
      `whsec_${Buffer.alloc(65).toString('base64')}`,
      Array(3).fill(planted.bare()).join(' '),
    ]) {
      const error = await http({ key: async () => new Sealed(text) })
        .poke(one)
        .catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'invalid', hint: expect.stringContaining('whsec_$(openssl') });
      planted.search(text, error);
    }
    planted.expectNowhere();
    expect(receiver.requests).toEqual([]);
  });

  test.each([200, 201, 202, 204, 299])('that is answered by %i is acknowledged', async (status) => {
    receiver.answerWith(status);
    await http().poke(one);
    expect(receiver.requests).toHaveLength(1);
  });

  test.each([
    [[301, 302, 303, 307, 308, 400, 404, 409, 410, 422], 'rejected'],
    [[401, 403], 'denied'],
    [[429], 'throttled'],
    [[408, 500, 501, 502, 503, 504], 'unreachable'],
  ])('that is answered by %j is %s, and is sent once', async (statuses, code) => {
    for (const status of statuses) {
      receiver.answerWith(status);
      const said: unknown = expect.stringContaining(`HTTP ${status}`);
      await expect(http().poke(one)).rejects.toMatchObject({ code, message: said });
    }
    expect(receiver.requests.map(({ path }) => path)).toEqual(statuses.map(() => '/reload'));
  });

  test('whose answer says why it is refused shows the beginning of that, its signs visible', async () => {
    receiver.answerWith((answer) => void answer.writeHead(400).end(`why: \u001b[2J\u202eno${'x'.repeat(100_000)}`));
    const error = await http()
      .poke(one)
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'rejected', message: expect.stringContaining('why: \\u001b[2J\\u202eno') });
    expect(String(error).length).toBeLessThan(600);
  });

  test('is acknowledged by the status alone: a body that never ends, breaks off or is no gzip changes nothing', async () => {
    const endless = (status: number) => (answer: ServerResponse) => void answer.writeHead(status).write('and then ');
    receiver.answerWith(endless(200));
    await http().poke(one);
    receiver.answerWith((answer) => {
      answer.writeHead(200, { 'content-length': '1000' }).write('x');
      setImmediate(() => answer.destroy());
    });
    await http().poke(one);
    receiver.answerWith((answer) => void answer.writeHead(200, { 'content-encoding': 'gzip' }).end('no gzip'));
    await http().poke(one);
    receiver.answerWith(endless(403));
    await expect(http({ answerMs: 1_500 }).poke(one)).rejects.toMatchObject({ code: 'denied' });
    receiver.answerWith((answer) => void answer.writeHead(403, { 'content-encoding': 'gzip' }).end('no gzip'));
    await expect(http().poke(one)).rejects.toMatchObject({ code: 'denied' });
    const bomb = gzipSync(Buffer.alloc(30_000_000, 'a'));
    receiver.answerWith((answer) => void answer.writeHead(403, { 'content-encoding': 'gzip' }).end(bomb));
    await expect(http().poke(one)).rejects.toMatchObject({ code: 'denied' });
  });

  test('whose answer repeats the key, in whatever form, is an error without it', async () => {
    const key = planted.bare();
    const said = [
      key,
      key.slice(6),
      encodeURIComponent(key),
      Buffer.from(key).toString('hex'),
      JSON.stringify({ key }),
    ];
    for (const text of said) {
      receiver.answerWith((answer) => void answer.writeHead(403, { 'x-echo': key }).end(`no: ${text}`));
      const error = await http()
        .poke(one)
        .catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'denied' });
      planted.search(text, error);
    }
    planted.expectNowhere();
  });

  test('shows of the address no more than the host', async () => {
    receiver.answerWith(404);
    const error = await http({ url: `${receiver.url}/hooks/T0K3N` })
      .poke(one)
      .catch((thrown: unknown) => thrown);
    expect(String(error)).toContain('127.0.0.1:');
    expect(String(error)).not.toContain('T0K3N');
  });
});
