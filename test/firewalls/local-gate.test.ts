import { readFile } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import type { Plain } from '../../shared/base/canonical.ts';
import { Sealed } from '../../shared/base/sealed.ts';
import { localGate } from '../../shared/firewalls/local-gate.ts';
import { parseRule, ruleAsPlain } from '../../shared/firewalls/local-gate/rule.ts';
import { firewallConformance, type FirewallPlace } from '../conformance/firewall.ts';
import { askGate, gatePlace, ruleFor, visit } from '../local/gate-place.ts';
import { testWorld } from '../world.ts';

const names = ['one', 'two', 'three'];

firewallConformance({ name: 'firewalls/local-gate', writes: true, fresh: place });

async function place(): Promise<FirewallPlace> {
  const at = await gatePlace({ services: names });
  const { gate } = at;
  for (const name of names) await gate.rules.put(ruleFor(gate, name), 'absent');
  const options = { name: 'gate', url: gate.url, token: gate.token, world: testWorld() };
  const rulesOnDisk = async (): Promise<ReadonlyMap<string, Plain>> => {
    const list: unknown = JSON.parse(await readFile(join(at.directory, 'rules.json'), 'utf8'));
    if (!Array.isArray(list)) throw new Error('rules.json is no list');
    return new Map(
      list.map((one: unknown) => parseRule(one, 'a rule on disk')).map((rule) => [rule.id, ruleAsPlain(rule)]),
    );
  };
  const write = async (id: string, method: 'PUT' | 'POST', change: object): Promise<void> => {
    const path = `/openings/${id}`;
    const live = await askGate(gate, { method: 'GET', path });
    const before: unknown = method === 'PUT' ? JSON.parse(live.body) : ruleAsPlain(ruleFor(gate, id.slice(3)));
    const body = JSON.stringify({ ...(typeof before === 'object' ? before : {}), ...change });
    const { status } =
      method === 'PUT'
        ? await askGate(gate, { method, path, ifMatch: live.etag ?? '', body })
        : await askGate(gate, { method, path: '/openings', body });
    expect([200, 201]).toContain(status);
  };
  return {
    firewall: localGate(options),
    second: localGate(options),
    openings: names.map((name) => `to-${name}`),
    admits: async (id) => (await visit(gate.services.find(({ name }) => id === `to-${name}`)?.port ?? 0)) === 'hello',
    rules: rulesOnDisk,
    edit: (id) => write(id, 'PUT', { description: 'edited by hand' }),
    recreate: (id) => write(id, 'POST', { sources: ['127.9.0.0/16'] }),
    end: () => at.end(),
  };
}

test('a wrong token is denied, a gate that is not there is unreachable, and neither error shows the token', async () => {
  const at = await gatePlace();
  const token = new Sealed('planted-secret-token');
  const options = { name: 'g', url: at.gate.url, token, world: testWorld() };
  await expect(localGate(options).openings()).rejects.toMatchObject({ code: 'denied' });
  await at.end();
  const gone = await localGate(options)
    .openings()
    .catch((error: unknown) => error);
  expect(gone).toMatchObject({ code: 'unreachable' });
  expect(JSON.stringify(gone) + String(gone)).not.toContain('planted-secret-token');
});

const prepared = {
  firewall: 'g',
  change: { kind: 'close', opening: 'to-echo' },
  before: {},
  after: undefined,
  fingerprint: 'f',
  rejectsVisible: true,
  openConnectionsLastMs: undefined,
} as const;

test('a write is uncertain where its answer does not come, and unreachable where it was not sent', async () => {
  const at = await gatePlace();
  const { port } = new URL(at.gate.url);
  // Same port, another address: what it forwards is valid, and answers to requests are lost on the way.
  const lossy = createServer((asked, answer) => {
    if (asked.url !== '/challenge') return;
    const { method, headers } = asked;
    const path = asked.url;
    asked.pipe(
      request({ host: '127.0.0.1', port, method, path, headers }, (given) => {
        answer.writeHead(given.statusCode ?? 0, given.headers);
        given.pipe(answer);
      }),
    );
  });
  await new Promise<void>((resolve) => lossy.listen(Number(port), '127.0.0.9', resolve));
  const { token } = at.gate;
  const gate = localGate({ name: 'g', url: `http://127.0.0.9:${port}`, token, world: testWorld(), timeoutMs: 200 });
  await expect(gate.openings()).rejects.toMatchObject({ code: 'unreachable' });
  await expect(gate.apply(prepared)).rejects.toMatchObject({ code: 'uncertain' });
  lossy.closeAllConnections();
  await new Promise((resolve) => lossy.close(resolve));
  await expect(gate.apply(prepared)).rejects.toMatchObject({ code: 'unreachable' });
  await at.end();
});
