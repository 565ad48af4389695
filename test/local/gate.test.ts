import { stat } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { formatInstant } from '../../shared/base/time.ts';
import { ruleFingerprint } from '../../shared/firewalls/local-gate/rule.ts';
import type { Gate } from '../../functions/local/gate/gate.ts';
import type { GateRequest } from '../../shared/firewalls/local-gate/call.ts';
import { askGate, gatePlace, ruleFor, say, stay, visit } from './gate-place.ts';

const portOf = (gate: Gate, name: string): number => gate.services.find((one) => one.name === name)?.port ?? 0;

describe('a gate', () => {
  test('forwards what a rule lets in, resets what none does, and tells sources apart', async () => {
    const place = await gatePlace();
    const { gate } = place;
    expect(await visit(portOf(gate, 'echo'))).toBe('reset');
    await gate.rules.put(ruleFor(gate, 'echo', { sources: ['127.0.5.0/24'] }), 'absent');
    expect(await visit(portOf(gate, 'echo'), 'hello', '127.0.5.9')).toBe('hello');
    expect(await visit(portOf(gate, 'echo'), 'hello', '127.0.6.9')).toBe('reset');
    await place.end();
  });

  test('an empty list of sources or of targets lets nobody in', async () => {
    const place = await gatePlace();
    const { gate } = place;
    await gate.rules.put(ruleFor(gate, 'echo', { sources: [] }), 'absent');
    await gate.rules.put(ruleFor(gate, 'echo', { id: 'no-target', targets: [] }), 'absent');
    expect(await visit(portOf(gate, 'echo'))).toBe('reset');
    await place.end();
  });

  test('passes on the refusal of a service that does not listen', async () => {
    const place = await gatePlace({ services: ['absent'] });
    await place.gate.rules.put(ruleFor(place.gate, 'absent'), 'absent');
    expect(await visit(portOf(place.gate, 'absent'))).toBe('reset');
    await place.end();
  });

  test('carries 32 MB through unchanged while the reader is slow', async () => {
    const place = await gatePlace();
    const port = portOf(place.gate, 'echo');
    await place.gate.rules.put(ruleFor(place.gate, 'echo'), 'absent');
    const sent = Buffer.alloc(32 * 1_024 * 1_024, 'abcdefg');
    const got = await new Promise<Buffer>((resolve, reject) => {
      const chunks: Buffer[] = [];
      const socket = connect({ host: '127.0.0.1', port });
      socket.end(sent);
      setTimeout(() => socket.on('data', (chunk: Buffer) => chunks.push(chunk)), 200);
      socket.on('end', () => resolve(Buffer.concat(chunks)));
      socket.on('error', reject);
    });
    expect(got.equals(sent)).toBe(true);
    await place.end();
  });

  test('a closed rule refuses the next connection at once and lets open ones live', async () => {
    const place = await gatePlace();
    const { gate } = place;
    const rule = ruleFor(gate, 'echo');
    await gate.rules.put(rule, 'absent');
    const open = await stay(portOf(gate, 'echo'));
    expect(await say(open, 'before')).toBe('before');
    expect(await gate.rules.remove(rule.id, { fingerprint: ruleFingerprint(rule) })).toBe('done');
    expect(await visit(portOf(gate, 'echo'))).toBe('reset');
    expect(await say(open, 'after')).toBe('after');
    open.destroy();
    await place.end();
  });

  test('keeps closings, and rules field by field, over a restart', async () => {
    const place = await gatePlace({ services: ['kept', 'closed'] });
    const { gate } = place;
    const [kept, closed] = [ruleFor(gate, 'kept'), ruleFor(gate, 'closed')];
    for (const rule of [kept, closed]) await gate.rules.put(rule, 'absent');
    await gate.rules.remove(closed.id, { fingerprint: ruleFingerprint(closed) });
    const again = await place.restart();
    expect(again.rules.rules()).toEqual([kept]);
    expect(await visit(portOf(again, 'kept'))).toBe('hello');
    expect(await visit(portOf(again, 'closed'))).toBe('reset');
    await place.end();
  });

  test('of two edits of what both saw, one wins', async () => {
    const place = await gatePlace();
    const { gate } = place;
    const rule = ruleFor(gate, 'echo');
    await gate.rules.put(rule, 'absent');
    const seen = { fingerprint: ruleFingerprint(rule) };
    const answers = await Promise.all(['a', 'b'].map((description) => gate.rules.put({ ...rule, description }, seen)));
    expect(answers.toSorted()).toEqual(['done', 'stale']);
    expect(gate.rules.rules()[0]?.description).toBe(answers[0] === 'done' ? 'a' : 'b');
    await place.end();
  });

  test('takes the next port where the preferred one is taken, and refuses where it must not move', async () => {
    const place = await gatePlace();
    const taken = portOf(place.gate, 'echo');
    const other = await gatePlace();
    expect(portOf(other.gate, 'echo')).toBeGreaterThan(taken);
    const blocker = createServer();
    const port = portOf(other.gate, 'echo');
    await other.gate.close();
    await new Promise<void>((resolve) => blocker.listen(port, '127.0.0.1', resolve));
    await expect(other.restart()).rejects.toMatchObject({ code: 'conflict' });
    await new Promise((resolve) => blocker.close(resolve));
    await other.end();
    await place.end();
  });
});

describe('the admin API', () => {
  test('answers only who proves that he holds the token, which only its owner can read', async () => {
    const place = await gatePlace();
    expect((await stat(join(place.directory, 'token'))).mode & 0o777).toBe(0o600);
    const token = place.gate.token.open();
    for (const authorization of ['', 'Bearer wrong', `Bearer ${token}`]) {
      expect((await fetch(`${place.gate.url}/openings`, { headers: { authorization } })).status).toBe(401);
    }
    expect((await askGate(place.gate, { method: 'GET', path: '/openings' })).status).toBe(200);
    await place.end();
  });

  test('writes nothing without a condition, with a stale one, or from a body that is no rule', async () => {
    const place = await gatePlace();
    const { gate } = place;
    const rule = ruleFor(gate, 'echo');
    await gate.rules.put(rule, 'absent');
    const path = `/openings/${rule.id}`;
    const send = async (
      method: 'PUT' | 'DELETE',
      condition: Pick<GateRequest, 'ifMatch' | 'ifNoneMatch'>,
      body?: unknown,
    ): Promise<number> => {
      const sent = body === undefined ? {} : { body: JSON.stringify(body) };
      return (await askGate(gate, { method, path, ...condition, ...sent })).status;
    };
    const plain = { ...rule, createdAt: formatInstant(rule.createdAt) };
    const match = { ifMatch: `"${ruleFingerprint(rule)}"` };
    expect(await send('DELETE', {})).toBe(428);
    expect(await send('DELETE', { ifMatch: '"0000"' })).toBe(412);
    expect(await send('PUT', { ifNoneMatch: '*' }, plain)).toBe(412);
    expect(await send('PUT', match, { ...plain, id: 'another' })).toBe(400);
    expect(await send('PUT', match, { ...plain, sources: ['10.0.0.0'] })).toBe(400);
    expect(await send('PUT', match, { ...plain, action: 'deny' })).toBe(400);
    expect(gate.rules.rules()).toEqual([rule]);
    expect(await send('DELETE', match)).toBe(204);
    expect(await send('DELETE', match)).toBe(404);
    await place.end();
  });
});
