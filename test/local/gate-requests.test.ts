import { connect } from 'node:net';
import { expect, test } from '@jest/globals';
import type { GateRequest } from '../../shared/firewalls/local-gate/call.ts';
import { parseRule, ruleAsPlain, ruleFingerprint } from '../../shared/firewalls/local-gate/rule.ts';
import type { Gate } from '../../functions/local/gate/gate.ts';
import { askGate, gatePlace, ruleFor, visit, type GatePlace } from './gate-place.ts';

async function withGate(check: (gate: Gate, place: GatePlace) => Promise<void>): Promise<void> {
  const place = await gatePlace();
  try {
    await check(place.gate, place);
  } finally {
    await place.end();
  }
}

const paths = [
  '/',
  '//',
  '///',
  '/openings/',
  '/openings/%',
  '/openings/%zz',
  '/openings/%00',
  '/openings/a/b',
  '/nothing',
  '/openings?x',
  '/openings/a#b',
  '/openings/..%2f..',
];
const bodies = [
  '',
  '{',
  'null',
  '[]',
  '"x"',
  '1e999',
  '{"id":1}',
  `{"__proto__":{}}`,
  '['.repeat(20_000),
  '\u0000',
  '{"id":"x","ports":null}',
];

const refusals = [400, 404, 405, 412, 428];

test('a bad request is answered 4xx with a text, and changes nothing', () =>
  withGate(async (gate) => {
    const rule = ruleFor(gate, 'echo');
    await gate.rules.put(rule, 'absent');
    const methods = ['GET', 'POST', 'PUT', 'DELETE'] as const;
    const requests: GateRequest[] = [
      ...paths.flatMap((path) => methods.map((method) => ({ method, path, ifMatch: '"x"' }))),
      ...bodies.map((body) => ({ method: 'POST' as const, path: '/openings', body })),
      ...bodies.map((body) => ({ method: 'PUT' as const, path: '/openings/x', ifNoneMatch: '*', body })),
      { method: 'DELETE', path: '/openings' },
      { method: 'PUT', path: '/openings' },
      { method: 'POST', path: '/openings/to-echo' },
    ];
    for (const sent of requests) {
      const { status, body } = await askGate(gate, sent);
      if (!refusals.includes(status)) throw new Error(`${JSON.stringify(sent).slice(0, 200)}: ${status} ${body}`);
      expect(JSON.parse(body)).toEqual({ code: expect.any(String), message: expect.any(String) });
    }
    expect(gate.rules.rules()).toEqual([rule]);
  }));

/** Every field of a rule with every kind of value in its place. */
function brokenRules(gate: Gate): readonly object[] {
  const good = { ...ruleFor(gate, 'echo', { id: 'broken' }), createdAt: '2026-01-01T00:00:00Z' };
  const values = [
    null,
    true,
    -1,
    1e308,
    '',
    'x',
    '\ud800',
    '127.0.0.1/33',
    [],
    [[]],
    [null],
    ['::1%lo/64'],
    ['fe80::1%eth0/64'],
    ['1.2.3.4/'],
    ['/8'],
    {},
    { from: 2, to: 1 },
    { from: 0.5, to: 1 },
    { a: 1 },
    '9999-12-31T23:59:59-23:59',
    '0000-01-01T00:00:00+23:59',
    '2026-13-01T00:00:00Z',
  ];
  return Object.keys(good).flatMap((key) => values.map((value) => ({ ...good, [key]: value })));
}

test('a rule with anything in any field is refused, or lies on disk as one that the next start reads', () =>
  withGate(async (gate, place) => {
    for (const rule of brokenRules(gate)) {
      const { status, body } = await askGate(gate, { method: 'POST', path: '/openings', body: JSON.stringify(rule) });
      if (status !== 400 && status !== 201) throw new Error(`${JSON.stringify(rule)}: ${status} ${body}`);
      if (status === 400) continue;
      const taken = gate.rules.rules().find(({ id }) => !id.startsWith('to-'));
      if (taken === undefined) continue;
      expect(parseRule(JSON.parse(JSON.stringify(ruleAsPlain(taken))), 'again')).toEqual(taken);
      await visit(gate.services[0]?.port ?? 0);
      await gate.rules.remove(taken.id, { fingerprint: ruleFingerprint(taken) });
    }
    await place.restart();
  }));

test('what is no HTTP, too long, or from nobody is refused, and the gate goes on', () =>
  withGate(async (gate) => {
    const { port } = new URL(gate.url);
    for (const bytes of [
      '\r\n\r\n',
      'GARBAGE\r\n\r\n',
      'GET / HTTP/9.9\r\n\r\n',
      'GET /openings HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n',
      `GET / HTTP/1.1\r\nX: ${'y'.repeat(40_000)}\r\n\r\n`,
      'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n',
      '\u0016\u0003\u0001',
    ])
      expect(await said(Number(port), bytes)).toMatch(/^(HTTP\/1\.1 4\d\d |$)/);
    const long = await fetch(`${gate.url}/openings`, { method: 'POST', body: 'x'.repeat(100_000) });
    expect([long.status, await long.text()]).toEqual([413, expect.stringContaining('at most 65536 bytes')]);
    for (const method of ['OPTIONS', 'HEAD', 'PATCH', 'GET'])
      expect((await fetch(`${gate.url}/openings`, { method })).status).toBe(401);
    expect((await askGate(gate, { method: 'GET', path: '/openings' })).status).toBe(200);
  }));

/** What comes back for these bytes, until the end or for half a second. */
async function said(port: number, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect({ host: '127.0.0.1', port });
    socket.setTimeout(500, () => socket.destroy());
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => resolve(text));
    socket.write(bytes, 'latin1');
  });
}
