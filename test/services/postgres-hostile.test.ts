import { describe, expect, test } from '@jest/globals';
import { Sealed } from '../../shared/base/sealed.ts';
import { postgresService, type PostgresOptions } from '../../shared/services/postgres.ts';
import { PlantedSecret } from '../planted-secret.ts';
import { testWorld } from '../world.ts';
import { certificate } from './certificate.ts';
import { hostileLogins } from './hostile-logins.ts';
import { asLoggedIn, hostilePostgres, letIn, md5Answer, say, scram, type Caller } from './hostile-postgres.ts';

const password = 'pl4nted-password-of-a-login_7Qz-012345';
const login = { slot: 'app_a', value: new Sealed(password) };

function serviceAt(endpoint: string, more: Partial<PostgresOptions> = {}) {
  return postgresService({
    credential: 'orders-db',
    strategy: 'alternating',
    users: ['app_a', 'app_b'],
    database: 'orders',
    endpoints: [endpoint],
    tls: 'off',
    admin: async () => ({ user: 'lockkeeper', password: new Sealed(password) }),
    world: testWorld('2026-10-01T00:00:00Z', 'hostile'),
    ...more,
  });
}

describe('whoever answers at the port, no password is sent and nothing unproven is believed; the server', () => {
  test.each(hostileLogins.map((one) => [one.name, one] as const))(
    '%s',
    async (_name, { script, knows }) => {
      await using server = await hostilePostgres((caller) => script(caller, password));
      const [answer] = await serviceAt(server.endpoint).accepts(login);
      const heard = server.heard().toString('latin1');
      expect(heard).not.toContain(password);
      expect(heard).not.toMatch(/md5[0-9a-f]{32}/);
      if (knows) return;
      expect(answer).toMatchObject({ endpoint: server.endpoint, answer: 'no-answer' });
      expect(['unreachable', 'unsupported', 'denied']).toContain(answer?.error?.code);
      expect(answer?.error?.message).toContain(server.endpoint);
      expect(answer?.error?.hint).toMatch(/./);
    },
    15_000,
  );
});

describe('md5', () => {
  const asking = async (caller: Caller) => {
    caller.send(say.auth(5, Buffer.from('salt')));
    const { body } = await caller.next();
    if (body.toString('latin1') !== `${md5Answer('app_a', password, Buffer.from('salt'))}\0`)
      caller.send(say.error({ S: 'FATAL', C: '28P01', M: 'no' }));
    else await letIn(caller, asLoggedIn('app_a'));
  };

  test('is answered where the configuration says so, and a password in clear is not', async () => {
    await using server = await hostilePostgres(asking);
    expect(await serviceAt(server.endpoint, { authentication: 'md5' }).accepts(login)).toMatchObject([
      { answer: 'accepted' },
    ]);
    await using greedy = await hostilePostgres(async (caller) => {
      caller.send(say.auth(3));
      await caller.next();
    });
    expect(await serviceAt(greedy.endpoint, { authentication: 'md5' }).accepts(login)).toMatchObject([
      { answer: 'no-answer', error: { code: 'unsupported' } },
    ]);
    expect(greedy.heard().includes(password)).toBe(false);
  });

  test('is an error with what to do about it where the configuration does not', async () => {
    await using server = await hostilePostgres(asking);
    const error = {
      code: 'unsupported',
      message: expect.stringContaining(`logging in as app_a at ${server.endpoint}`),
      hint: expect.stringContaining('authentication: md5'),
    };
    expect(await serviceAt(server.endpoint).accepts(login)).toMatchObject([{ answer: 'no-answer', error }]);
  });
});

describe('with TLS', () => {
  const first = async (mechanisms: readonly string[]) => {
    const begun = Promise.withResolvers<string>();
    await using server = await hostilePostgres(
      async (caller) => {
        caller.send(say.sasl(...mechanisms));
        begun.resolve((await caller.next()).body.toString('latin1'));
        caller.close();
      },
      { tls: true },
    );
    await serviceAt(server.endpoint, { tls: { ca: async () => certificate } })
      .accepts(login)
      .catch(() => undefined);
    return await begun.promise;
  };

  test('SCRAM is bound to the certificate where the server offers it', async () => {
    expect(await first(['SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS'])).toContain('p=tls-server-end-point,,');
  });

  test('who takes the offer out of the middle is found out by the server, for the client says that it could', async () => {
    expect(await first(['SCRAM-SHA-256'])).toContain('y,,');
  });

  test('what comes with the answer to the request for TLS is not taken for what TLS protects', async () => {
    await using server = await hostilePostgres(async () => undefined, { answerToTls: Buffer.from('S\0\0\0') });
    expect(await serviceAt(server.endpoint, { tls: 'require' }).accepts(login)).toMatchObject([
      { answer: 'no-answer', error: { code: 'unreachable' } },
    ]);
  });
});

describe('what a server says comes back without any value of ours:', () => {
  test('in an error, its fields and causes, encoded or in parts', async () => {
    const planted = new PlantedSecret(password);
    let sent = '';
    const echo = async (caller: Caller) => {
      await scram(caller, password);
      await letIn(caller, (text) => {
        sent = /SCRAM-SHA-256\$[^']+/.exec(text)?.[0] ?? sent;
        const base64 = Buffer.from(password).toString('base64');
        const M = `no: ${password} ${base64} ${Buffer.from(password).toString('hex')} ${encodeURIComponent(password)} ${sent}`;
        const D = `begins ${password.slice(0, 20)} and goes on ${password.split('').join(' ')}`;
        return text.startsWith('BEGIN') || !sent
          ? [say.message('C', 'BEGIN\0')]
          : [say.error({ S: 'ERROR', C: '42501', M, D, H: password, q: sent, W: JSON.stringify(password) })];
      });
    };
    await using server = await hostilePostgres(echo);
    const error: unknown = await serviceAt(server.endpoint)
      .change(login, undefined, async () => undefined)
      .catch((thrown: unknown) => thrown);
    planted.search('the error', error).expectNowhere();
    expect(sent).toMatch(/^SCRAM/);
    expect(error).toMatchObject({ code: 'denied', message: expect.stringContaining('changing app_a') });
    for (const part of sent.split(/[:$]/).filter((one) => one.length > 20))
      new PlantedSecret(part).search('the error', error).expectNowhere();
  });

  test('in a refusal before the login', async () => {
    const planted = new PlantedSecret(password);
    await using server = await hostilePostgres(async (caller) => {
      caller.send(say.error({ S: 'FATAL', C: '53300', M: `too many: ${password}` }));
      caller.close();
    });
    const error: unknown = await serviceAt(server.endpoint)
      .describe()
      .catch((thrown: unknown) => thrown);
    planted.search('the error', error).expectNowhere();
    expect(error).toMatchObject({ code: 'throttled' });
  });

  test('in an answer to a login', async () => {
    const planted = new PlantedSecret(password);
    await using server = await hostilePostgres(async (caller) => {
      await scram(caller, password);
      caller.send(say.error({ S: 'FATAL', C: '53300', M: `too many: ${password}`, D: password }));
      caller.close();
    });
    const answers = await serviceAt(server.endpoint).accepts(login);
    planted.search('the answer', answers).search('its error', answers[0]?.error).expectNowhere();
    expect(answers).toMatchObject([{ answer: 'no-answer', error: { code: 'throttled' } }]);
  });
});

describe('what a login is, as the server tells it,', () => {
  const told = async (row: Readonly<Record<string, string>>, more: Partial<PostgresOptions> = {}) => {
    await using server = await hostilePostgres(async (caller) => {
      await scram(caller, password);
      await letIn(caller, (text) => (text.includes('session_user') ? say.row({ ...fit, ...row }) : undefined));
    });
    const [answer] = await serviceAt(server.endpoint, { ownerRole: 'owner', ...more }).accepts(login);
    return answer;
  };
  const fit = { sessionUser: 'app_a', currentUser: 'owner', version: '180000', isStandby: '', readOnly: 'off' };

  test('is fit where it is the owner role and may write', async () => {
    expect(await told({})).toEqual({ endpoint: expect.any(String), answer: 'accepted', encrypted: false });
  });

  test.each([
    ['another user', { sessionUser: 'fixed' }, 'sees fixed and not app_a'],
    ['another role', { currentUser: 'app_a' }, "SET role = 'owner';"],
  ])('is unfit as %s, with what to do', async (_who, row, text) => {
    const answer = await told(row);
    expect(answer).toMatchObject({ answer: 'accepted', unfit: expect.stringContaining(text) });
  });

  test('holds no value of ours, whatever the server calls it', async () => {
    const answer = await told({ sessionUser: password });
    expect(answer?.unfit).toMatch(/ and not app_a/);
    new PlantedSecret(password).search('the answer', answer).expectNowhere();
  });
});

describe('a refusal', () => {
  test.each([
    ['08P01', 'SASL authentication failed', true, 'refused'],
    ['08P01', 'password authentication failed', true, 'refused'],
    ['08P01', 'Auth failed', true, 'refused'],
    ['08P01', 'no such user', false, 'refused'],
    ['08P01', 'No such user: app_a', false, 'refused'],
    ['08P01', 'password authentication failed for user "app_a"', true, 'refused'],
    ['08P01', 'password authentication failed for user "pooler_lookup"', true, 'no-answer'],
    ['08P01', 'server login has been failing, try again later (server_login_retry)', true, 'no-answer'],
    ['08P01', 'bouncer config error', false, 'no-answer'],
    ['08P01', 'invalid message format', true, 'no-answer'],
    ['28P01', 'password authentication failed for user "app_a"', true, 'refused'],
    ['28P01', 'Passwort-Authentifizierung für Benutzer »app_a« fehlgeschlagen', true, 'refused'],
    ['28P01', 'password authentication failed for user "pooler_lookup"', true, 'no-answer'],
    ['28P01', 'password authentication failed for user "app_a"', false, 'no-answer'],
  ])('%s %s (after the password was asked for: %s) is %s', async (C, M, hasAsked, answer) => {
    await using server = await hostilePostgres(async (caller) => {
      if (hasAsked) {
        caller.send(say.sasl('SCRAM-SHA-256'));
        await caller.next();
      }
      caller.send(say.error({ S: 'FATAL', C, M }));
      caller.close();
    });
    expect(await serviceAt(server.endpoint).accepts(login)).toMatchObject([{ answer }]);
  });

  test.each([
    ['08P01', 'unsupported startup parameter: options', false, true],
    ['08P01', 'unsupported startup parameter in options: search_path', false, true],
    ['08P01', 'unsupported startup parameter: options', true, false],
    ['08P01', 'no such database: orders', false, false],
    ['28000', 'unsupported startup parameter: options', false, false],
  ])(
    '%s %s (after the password was asked for: %s) is asked again without options: %s',
    async (C, M, hasAsked, again) => {
      const startups: boolean[] = [];
      await using server = await hostilePostgres(async (caller) => {
        startups.push(caller.startup.has('options'));
        if (hasAsked) {
          caller.send(say.sasl('SCRAM-SHA-256'));
          await caller.next();
        }
        caller.send(say.error({ S: 'FATAL', C, M }));
        caller.close();
      });
      expect(await serviceAt(server.endpoint).accepts(login)).toMatchObject([{ answer: 'no-answer' }]);
      expect(startups).toEqual(again ? [true, false] : [true]);
    },
  );

  const refusing = async (code: string, hasAsked: boolean) => {
    await using server = await hostilePostgres(async (caller) => {
      if (hasAsked) await scram(caller, password);
      caller.send(say.error({ S: 'FATAL', C: code, M: 'no pg_hba.conf entry for host' }));
      caller.close();
    });
    const [answer] = await serviceAt(server.endpoint).accepts(login);
    const thrown: unknown = await serviceAt(server.endpoint)
      .describe()
      .catch((error: unknown) => error);
    return { answer, thrown };
  };

  test('that comes before any password was asked for says nothing about the password', async () => {
    const { answer, thrown } = await refusing('28000', false);
    expect(answer).toMatchObject({
      answer: 'no-answer',
      error: { code: 'denied', hint: expect.stringContaining('pg_hba.conf') },
    });
    expect(thrown).toMatchObject({ code: 'denied', hint: expect.stringContaining('pg_hba.conf') });
  });

  test('after the password is one, also of a user that may not log in', async () => {
    for (const code of ['28P01', '28000'])
      expect(await refusing(code, true)).toMatchObject({ answer: { answer: 'refused' }, thrown: { code: 'denied' } });
  });
});
