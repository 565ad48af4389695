import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createTlsServer } from 'node:https';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { Sealed } from '../../shared/base/sealed.ts';
import { httpRefresh } from '../../shared/refreshes/http.ts';
import { startWebhookReceiver } from '../clouds/webhook-receiver.ts';
import { news } from '../conformance/refresh.ts';
import { certificate, certificateKey } from '../services/certificate.ts';
import { testWorld } from '../world.ts';

const http = ({ url }: { readonly url: string }) =>
  httpRefresh({
    name: 'web',
    url,
    key: async () => new Sealed(`whsec_${Buffer.alloc(32, 1).toString('base64')}`),
    world: testWorld(),
    answerMs: 10_000,
  });

describe('a message over http', () => {
  const one = news('db', 'r-1');

  test('to nobody is unreachable: nothing was sent', async () => {
    const receiver = await startWebhookReceiver();
    await receiver.close();
    await expect(http({ url: receiver.url }).poke(one)).rejects.toMatchObject({
      code: 'unreachable',
      hint: expect.stringContaining('Nothing'),
    });
    await expect(http({ url: 'https://name.invalid/' }).poke(one)).rejects.toMatchObject({ code: 'unreachable' });
  });

  test('to what does not speak TLS, or speaks no HTTP, is unreachable, or uncertain once it was sent', async () => {
    const receiver = await startWebhookReceiver();
    const url = receiver.url.replace('http:', 'https:');
    await expect(http({ url }).poke(one)).rejects.toMatchObject({ code: 'unreachable' });
    expect(receiver.requests).toEqual([]);
    await receiver.close();
    const other = createServer(
      (socket) => void socket.on('data', () => socket.end('SSH-2.0-x\r\n\r\n')).on('error', () => socket.destroy()),
    );
    await new Promise<void>((resolve) => void other.listen(0, '127.0.0.1', resolve));
    await expect(http({ url: `http://127.0.0.1:${portOf(other)}` }).poke(one)).rejects.toMatchObject({
      code: 'uncertain',
    });
    await new Promise((resolve) => other.close(resolve));
  });

  test('goes to a receiver whose certificate is of a trusted authority, and to no other', async () => {
    let came = 0;
    const server = createTlsServer({ cert: certificate, key: certificateKey }, (request, response) => {
      came += 1;
      request.resume().on('end', () => response.writeHead(204).end());
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    const url = `https://127.0.0.1:${portOf(server)}/`;
    await expect(http({ url }).poke(one)).rejects.toMatchObject({
      code: 'unreachable',
      hint: expect.stringContaining('NODE_EXTRA_CA_CERTS'),
    });
    expect(came).toBe(0);
    const directory = await mkdtemp(join(tmpdir(), 'lockkeeper-http-'));
    await writeFile(join(directory, 'ca.pem'), certificate);
    const child = fileURLToPath(new URL('https-child.ts', import.meta.url));
    const env = { NODE_EXTRA_CA_CERTS: join(directory, 'ca.pem') };
    const { stdout } = await promisify(execFile)(process.execPath, ['--no-warnings', child, url], {
      env,
      timeout: 15_000,
    });
    expect([stdout, came]).toEqual(['acknowledged', 1]);
    await rm(directory, { recursive: true });
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  test.each([
    'http://example.com/',
    'http://10.0.0.1/',
    'http://127.0.0.1.example.com/',
    'https://user:word@example.com/',
    'https://example.com/?token=x',
    'https://example.com/#x',
    'ftp://example.com/',
    'example.com',
    '',
  ])('is never sent to %j, which is not repeated', (url) => {
    expect(() => http({ url })).toThrow(expect.objectContaining({ code: 'invalid' }));
    expect(() => http({ url })).toThrow('is not https');
  });
});

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
