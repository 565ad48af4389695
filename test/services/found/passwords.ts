import { connect } from 'node:net';
import { readFile, writeFile } from 'node:fs/promises';
import { Sealed } from '../../../shared/base/sealed.ts';
import { postgresService } from '../../../shared/services/postgres.ts';
import { superuser } from '../postgres-server.ts';
import type { FoundCase } from './case.ts';
import { foundPair, passwordOf, q, type FoundPair } from './found-pair.ts';

const oldClients = /libpq before 10.*JDBC before 42\.2\.0.*Npgsql before 3\.2\.7/;

/** Passwords that are stored as md5, and clients that know nothing else. */
export const passwordCases: readonly FoundCase[] = [
  {
    name: 'a password that is stored as md5: told where the server shows it, and true',
    run: async (found) => {
      const pair = await md5Pair(await foundPair(found, 'ready'));
      const admin = async () => ({ user: superuser.user, password: new Sealed(superuser.password) });
      const service = postgresService(pair.options({ admin }));
      const { risks, problems } = await service.describe();
      if (problems.length > 0 || !risks.some((text) => text.includes(pair.a) && oldClients.test(text)))
        throw new Error(`not told, but: ${[...problems, ...risks].join('\n')}`);
      if ((await askedFor(pair, pair.a)) !== 'md5') throw new Error('the server does not ask for md5 before');
      await service.change(pair.login(pair.a), undefined, async () => undefined);
      if ((await askedFor(pair, pair.a)) !== 'scram')
        throw new Error('a client that knows md5 only would still get in');
      const after = await service.describe();
      if (after.risks.length > 0) throw new Error(`still told: ${after.risks.join('\n')}`);
    },
  },
  {
    name: 'password_encryption is md5, and lockkeeper may not see what is stored',
    run: async (found) => {
      const pair = await foundPair(found, 'ready');
      const service = postgresService(pair.options());
      const before = await service.describe();
      for (const user of [pair.a, pair.b]) await pair.sql(`ALTER ROLE ${q(user)} SET password_encryption = 'md5'`);
      const { risks, problems } = await service.describe();
      if (found.version >= 14 && before.risks.length > 0) throw new Error(`told too early: ${before.risks.join('\n')}`);
      if (problems.length > 0 || !risks.some((text) => oldClients.test(text)))
        throw new Error(`not told: ${risks.join('\n')}`);
      for (const user of [pair.a, pair.b])
        await pair.sql(`ALTER ROLE ${q(user)} SET password_encryption = 'scram-sha-256'`);
    },
  },
];

/** The first user has an md5 password, and pg_hba.conf lets it in so. */
async function md5Pair(pair: FoundPair): Promise<FoundPair> {
  const [hba] = await pair.sql<{ file: string }>("SELECT current_setting('hba_file') AS file");
  const file = hba?.file ?? '';
  await writeFile(file, `host ${pair.database} all 127.0.0.1/32 md5\n${await readFile(file, 'utf8')}`);
  await pair.sql(
    `SET password_encryption = 'md5'; ALTER ROLE ${q(pair.a)} PASSWORD '${passwordOf(pair.a)}'; SELECT pg_reload_conf()`,
  );
  // The reload is done by another process.
  for (let looks = 0; looks < 100 && (await askedFor(pair, pair.a)) !== 'md5'; looks += 1)
    await new Promise((resolve) => void setTimeout(resolve, 50));
  return pair;
}

/** What the server asks a client for that begins a session: bytes 5 to 8 of its answer. */
async function askedFor({ found, database }: FoundPair, user: string): Promise<'md5' | 'scram' | 'other'> {
  const socket = connect(found.server.port, '127.0.0.1');
  try {
    const words = Buffer.from(`user\0${user}\0database\0${database}\0\0`);
    const head = Buffer.alloc(8);
    head.writeUInt32BE(8 + words.length, 0);
    head.writeUInt32BE(196_608, 4);
    socket.write(Buffer.concat([head, words]));
    const answer = await new Promise<unknown>(
      (resolve, reject) => void socket.once('data', resolve).once('error', reject),
    );
    if (!Buffer.isBuffer(answer) || answer[0] !== 0x52) return 'other';
    return answer.readUInt32BE(5) === 5 ? 'md5' : answer.readUInt32BE(5) === 10 ? 'scram' : 'other';
  } finally {
    socket.destroy();
  }
}
