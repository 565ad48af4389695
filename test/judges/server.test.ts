import { describe, expect, test } from '@jest/globals';
import { connect } from 'node:net';
import { startServer } from './server.ts';

const program = process.execPath;
const listening = (port: number) => `require("net").createServer().listen(${port}, "127.0.0.1")`;

async function isOpen(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.unref();
  });
}

describe('a server of a test', () => {
  test('answers once it is started, and is gone once it is stopped', async () => {
    const server = await startServer({ program, words: (port) => ['-e', `console.log("up"); ${listening(port)}`] });
    expect([server.endpoint, server.url, server.log()]).toEqual([
      `127.0.0.1:${server.port}`,
      `http://127.0.0.1:${server.port}`,
      'up\n',
    ]);
    expect(await isOpen(server.port)).toBe(true);
    await server.stop();
    await server.stop();
    expect(await isOpen(server.port)).toBe(false);
  });

  test('that does not end when it is asked to is killed', async () => {
    const server = await startServer({
      program,
      words: (port) => ['-e', `process.on("SIGTERM", () => console.log("no")); ${listening(port)}`],
      graceMs: 200,
    });
    await server.stop();
    expect(server.log()).toBe('no\n');
    expect(await isOpen(server.port)).toBe(false);
  });

  test('that ends at once is told with its words', async () => {
    const start = startServer({ program, words: () => ['-e', 'console.error("the disk is full"); process.exit(3)'] });
    await expect(start).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringMatching(/ended with 3: the disk is full$/),
    });
  });

  test('that never listens is stopped and told', async () => {
    const start = startServer({ program, words: () => ['-e', 'setInterval(() => {}, 1000)'], readyMs: 300 });
    await expect(start).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('did not answer within 0.3 s'),
    });
  });

  test('that is not there is told', async () => {
    const start = startServer({ program: '/nowhere/server', words: () => [] });
    await expect(start).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('did not start'),
    });
  });
});
