import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import type { Plain } from '../../shared/base/canonical.ts';
import { Sealed } from '../../shared/base/sealed.ts';
import { localGate } from '../../shared/firewalls/local-gate.ts';
import { parseRule, ruleAsPlain } from '../../shared/firewalls/local-gate/rule.ts';
import { firewallConformance, type FirewallPlace } from '../conformance/firewall.ts';
import { gatePlace, ruleFor, visit } from '../local/gate-place.ts';

const names = ['one', 'two', 'three'];

firewallConformance({ name: 'firewalls/local-gate', writes: true, fresh: place });

async function place(): Promise<FirewallPlace> {
  const at = await gatePlace({ services: names });
  const { gate } = at;
  for (const name of names) await gate.rules.put(ruleFor(gate, name), 'absent');
  const options = { name: 'gate', url: gate.url, token: gate.token };
  const rulesOnDisk = async (): Promise<ReadonlyMap<string, Plain>> => {
    const list: unknown = JSON.parse(await readFile(join(at.directory, 'rules.json'), 'utf8'));
    if (!Array.isArray(list)) throw new Error('rules.json is no list');
    return new Map(
      list.map((one: unknown) => parseRule(one, 'a rule on disk')).map((rule) => [rule.id, ruleAsPlain(rule)]),
    );
  };
  const write = async (id: string, method: 'PUT' | 'POST', change: object): Promise<void> => {
    const url = `${gate.url}/openings${method === 'PUT' ? `/${id}` : ''}`;
    const headers = { authorization: `Bearer ${gate.token.open()}` };
    const live = await fetch(`${gate.url}/openings/${id}`, { headers });
    const before: unknown = method === 'PUT' ? await live.json() : ruleAsPlain(ruleFor(gate, id.slice(3)));
    const condition = method === 'PUT' ? { 'if-match': live.headers.get('etag') ?? '' } : {};
    const body = JSON.stringify({ ...(typeof before === 'object' ? before : {}), ...change });
    expect((await fetch(url, { method, headers: { ...headers, ...condition }, body })).ok).toBe(true);
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
  await expect(localGate({ name: 'g', url: at.gate.url, token }).openings()).rejects.toMatchObject({ code: 'denied' });
  await at.end();
  const gone = await localGate({ name: 'g', url: at.gate.url, token })
    .openings()
    .catch((error: unknown) => error);
  expect(gone).toMatchObject({ code: 'unreachable' });
  expect(JSON.stringify(gone) + String(gone)).not.toContain('planted-secret-token');
});

test('a write that gets no answer in time is uncertain, a read is unreachable', async () => {
  const { createServer } = await import('node:http');
  const silent = createServer(() => {});
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const address = silent.address();
  const url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  const gate = localGate({ name: 'g', url, token: new Sealed('x'), timeoutMs: 100 });
  await expect(gate.openings()).rejects.toMatchObject({ code: 'unreachable' });
  const prepared = {
    firewall: 'g',
    change: { kind: 'close', opening: 'o' },
    before: {},
    after: undefined,
    fingerprint: 'f',
    rejectsVisible: true,
    openConnectionsLastMs: undefined,
  } as const;
  await expect(gate.apply(prepared)).rejects.toMatchObject({ code: 'uncertain' });
  silent.closeAllConnections();
  silent.close();
});
