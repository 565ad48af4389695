import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { systemWorld } from '../../shared/base/world.ts';
import { localFileSecrets, type LocalFileOptions } from '../../shared/secrets/local-file.ts';
import type { SecretPlace } from '../conformance/secret-store-place.ts';

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
  let hands = 0;
  return {
    options,
    file,
    secret,
    first: localFileSecrets(options),
    second: localFileSecrets(options),
    consumer: async () => (await readShelf(file, options.keyFile)).current?.text,
    byHand: async (text) => {
      const shelf = await readShelf(file, options.keyFile);
      const current = { id: `by-hand-${(hands += 1)}`, text };
      await writeShelf(file, options.keyFile, {
        ...shelf,
        current,
        earlier: [...(shelf.current ? [shelf.current] : []), ...shelf.earlier],
      });
    },
    settle: async () => undefined,
    close: async () => rm(base, { recursive: true, force: true }),
  };
}

/** Decrypts with nothing but the documented format. */
export async function readShelf(file: string, keyFile: string): Promise<z.infer<typeof content>> {
  const { data, nonce, tag, name, generation } = await readEnvelope(file);
  const decipher = createDecipheriv('aes-256-gcm', await keyIn(keyFile), Buffer.from(nonce, 'base64'));
  decipher.setAAD(Buffer.from(JSON.stringify({ format: 'lockkeeper-secret-1', generation, name })));
  decipher.setAuthTag(Buffer.from(tag, 'base64'));
  return content.parse(JSON.parse(decipher.update(data, 'base64', 'utf8') + decipher.final('utf8')));
}

/** Encrypts with nothing but the documented format. */
export async function writeShelf(file: string, keyFile: string, shelf: object): Promise<void> {
  const { name, generation: before } = await readEnvelope(file);
  const [generation, nonce, format] = [before + 1, randomBytes(12), 'lockkeeper-secret-1'];
  const cipher = createCipheriv('aes-256-gcm', await keyIn(keyFile), nonce);
  cipher.setAAD(Buffer.from(JSON.stringify({ format, generation, name })));
  const data = Buffer.concat([cipher.update(JSON.stringify(shelf)), cipher.final()]).toString('base64');
  const tag = cipher.getAuthTag().toString('base64');
  const written = JSON.stringify({ data, format, generation, name, nonce: nonce.toString('base64'), tag });
  await writeFile(file, `${written}\n`);
}

async function keyIn(keyFile: string): Promise<Buffer> {
  return Buffer.from((await readFile(keyFile, 'utf8')).trim(), 'hex');
}

async function readEnvelope(file: string): Promise<z.infer<typeof envelope>> {
  return envelope.parse(JSON.parse(await readFile(file, 'utf8')));
}

const envelope = z.object({
  data: z.string(),
  nonce: z.string(),
  tag: z.string(),
  name: z.string(),
  generation: z.number(),
});
const version = z.object({
  id: z.string(),
  text: z.string(),
  staged: z.object({ rotation: z.string(), id: z.string() }).optional(),
});
const content = z.object({
  current: version.nullable(),
  earlier: z.array(version),
  pending: version.extend({ rotation: z.string() }).nullable(),
  promoted: z.array(z.string()),
});
