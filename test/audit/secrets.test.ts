import { inspect } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import type { AuditEvent } from '../../shared/audit/entry.ts';
import { auditLog } from '../../shared/audit/log.ts';
import { refuseSecrets } from '../../shared/audit/entries/refuse-secrets.ts';
import { Sealed } from '../../shared/base/sealed.ts';
import { event, place } from './place.ts';

const planted = 'PLANTED-hunter2-%$&';

describe('no secret gets into the log', () => {
  const bad: readonly [string, object][] = [
    ['a Sealed', { user: new Sealed(planted) }],
    ['a Sealed deep inside', { list: [{ deep: [new Sealed(planted)] }] }],
    ['a member named value', { value: planted }],
    ['a member named newValue', { newValue: planted }],
    ['a member named password', { password: planted }],
    ['a member whose name ends so', { login: { admin_password: planted } }],
    ['a token', { sessionToken: planted }],
    ['an API key', { 'api-key': planted }],
    ['a verifier', { role: { Verifier: planted } }],
    ['a private key by its look', { text: `-----BEGIN RSA PRIVATE KEY-----\n${planted}` }],
    ['a SCRAM verifier by its look', { text: `ALTER ROLE a PASSWORD 'SCRAM-SHA-256$4096:${planted}'` }],
    ['an address with a password', { text: `connecting to postgres://app:${planted}@db:5432 failed` }],
    ['bytes', { text: new TextEncoder().encode(planted) }],
    ['a map', { text: new Map([['a', planted]]) }],
    ['a function', { text: () => planted }],
    ['a number that is none', { text: Number.NaN }],
  ];
  test.each(bad)('%s is refused, by a place and never by what it is', async (_, details) => {
    const at = place();
    const log = auditLog({ ...at, run: 'run' });
    const refused = await caught(log.record(carrying(details)));
    expect(refused).toMatchObject({ code: 'invalid', message: expect.stringContaining('details.') });
    expect(inspect(refused, { depth: 20 })).not.toContain(planted);
    expect(at.bucket.objects.size).toBe(0);
  });
  test('in the other members of an event it is refused too', () => {
    const withActor = event(1, { actor: `postgres://app:${planted}@db` });
    expect(() => refuseSecrets(withActor)).toThrow(/actor/);
    expect(() => refuseSecrets(event(1, { correlation: '-----BEGIN PRIVATE KEY-----' }))).toThrow(/correlation/);
  });
  test('names, versions, fingerprints and the exact rules of clouds pass', async () => {
    const log = auditLog({ ...place(), run: 'run' });
    const details = {
      store: 'local',
      secret: 'prod/orders-db',
      secretVersion: 'v12',
      fingerprint: new Sealed(planted).fingerprint(new Uint8Array(32)),
      before: { SecurityGroupRuleId: 'sgr-1', Tags: [{ Key: 'owner', Value: 'team-a' }], Description: null },
      url: 'https://10.0.0.1:8443/health?x=a@b',
      passwordChanged: true,
      text: 'password authentication failed for user "app"',
    };
    expect((await log.record(event(1, { details }))).n).toBe(1);
  });
  test('a Sealed in a template leaves only its sign', async () => {
    const at = place();
    await auditLog({ ...at, run: 'run' }).record(event(1, { details: { text: `set ${String(new Sealed(planted))}` } }));
    const written = [...at.bucket.objects.values(), ...at.heads.objects.values()]
      .map(({ bytes }) => new TextDecoder().decode(bytes))
      .join('\n');
    expect(written).toContain('set [sealed]');
    expect(written).not.toContain(planted);
  });
  test.each([
    'x'.repeat(900_000),
    'a://'.repeat(200_000),
    '-----BEGIN '.repeat(90_000),
    'A '.repeat(400_000),
    '://a:'.repeat(200_000),
  ])('a long text takes no time that grows with its square (%#)', (text) => {
    expect(() => refuseSecrets(event(1, { details: { text } }))).not.toThrow();
  });
});

/** An event whose details TypeScript would have refused. */
function carrying(details: object): AuditEvent {
  const bare = event(1);
  Object.assign(bare.details, details);
  return bare;
}

async function caught(act: Promise<unknown>): Promise<unknown> {
  try {
    await act;
  } catch (thrown) {
    return thrown;
  }
  throw new Error('nothing was thrown');
}
