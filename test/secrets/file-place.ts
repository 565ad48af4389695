import { createDecipheriv } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { systemWorld } from '../../shared/base/world.ts';
import { localFileSecrets, type LocalFileOptions } from '../../shared/secrets/local-file.ts';
import type { SecretPlace } from '../conformance/secret-store.ts';

export interface FilePlace extends SecretPlace {
  readonly options: LocalFileOptions;
  /** The file of the one secret. */
  readonly file: string;
}

/** A directory of its own with one empty secret. */
export async function openFilePlace(): Promise<FilePlace> {
  const base = await mkdtemp(join(tmpdir(), 'lockkeeper-secrets-'));
  const options = { directory: join(base, 'secrets'), keyFile: join(base, 'keys', 'key'), world: systemWorld() };
  const secret = 'prod/app db';
  const file = join(options.directory, 'prod%2Fapp%20db.secret');
  await localFileSecrets(options).add(secret);
  return {
    options,
    file,
    secret,
    first: localFileSecrets(options),
    second: localFileSecrets(options),
    consumer: async () => readCurrent(file, options.keyFile),
    close: async () => rm(base, { recursive: true, force: true }),
  };
}

/** Decrypts with nothing but the documented format. */
async function readCurrent(file: string, keyFile: string): Promise<string | undefined> {
  const key = Buffer.from((await readFile(keyFile, 'utf8')).trim(), 'hex');
  const { data, nonce, tag, name, generation } = envelope.parse(JSON.parse(await readFile(file, 'utf8')));
  const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(nonce, 'base64'));
  decipher.setAAD(Buffer.from(JSON.stringify({ format: 'lockkeeper-secret-1', generation, name })));
  decipher.setAuthTag(Buffer.from(tag, 'base64'));
  const shelf = content.parse(JSON.parse(decipher.update(data, 'base64', 'utf8') + decipher.final('utf8')));
  return shelf.current?.text;
}

const envelope = z.object({
  data: z.string(),
  nonce: z.string(),
  tag: z.string(),
  name: z.string(),
  generation: z.number(),
});
const content = z.object({ current: z.object({ text: z.string() }).nullable() });
