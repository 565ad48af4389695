import { spawn, type ChildProcess } from 'node:child_process';
import { userInfo } from 'node:os';

/** What a program of another account heard at a port. */
export interface HeardRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A program of another account that listens where lockkeeper calls. */
export interface Impostor {
  readonly heard: readonly HeardRequest[];
  end(): Promise<void>;
}

export interface ImpostorOptions {
  readonly host?: string;
  readonly port: number;
  /** The body of `async (request, body, forward) => ({ status, headers, body })`, in JavaScript. */
  readonly answers: string;
}

/** True where the attack really runs as another account. */
export const isOtherAccount = userInfo().uid === 0;

const running = new Set<ChildProcess>();

/** Ends whatever still runs as another account. */
export function endImpostors(): void {
  for (const child of running) child.kill('SIGKILL');
}

/** Runs JavaScript as another account, for a minute at most; its lines come one by one. */
export function asOther(script: string, onLine: (line: string) => void): ChildProcess {
  const bounded = `${script}\nsetTimeout(() => process.exit(), 60_000).unref();`;
  const node = [process.execPath, '--no-warnings', '--input-type=module', '-e', bounded];
  const words = isOtherAccount ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', ...node] : node;
  const [command = '', ...rest] = words;
  const child = spawn(command, rest, { cwd: '/', stdio: ['ignore', 'pipe', 'inherit'], timeout: 60_000 });
  running.add(child);
  child.once('exit', () => running.delete(child));
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (part: string) => {
    const lines = (text + part).split('\n');
    text = lines.pop() ?? '';
    lines.forEach(onLine);
  });
  return child;
}

/** Listens as another account; resolves once it does. */
export async function impostor({ host = '127.0.0.1', port, answers }: ImpostorOptions): Promise<Impostor> {
  const heard: HeardRequest[] = [];
  const script = `
    import { createServer, request as send } from 'node:http';
    const forward = (target, { method, url, headers, body }) => new Promise((resolve, reject) => {
      const going = send({ ...target, method, path: url, headers }, async (response) => {
        const parts = []; for await (const part of response) parts.push(part);
        resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(parts).toString() });
      });
      going.on('error', reject); going.end(body);
    });
    const answers = async (request, forward) => { ${answers} };
    createServer(async ({ method, url, headers, ...rest }, response) => {
      response.socket.on('error', () => undefined);
      const parts = []; for await (const part of response.req) parts.push(part);
      const request = { method, url, headers, body: Buffer.concat(parts).toString() };
      console.log(JSON.stringify(request));
      const said = await answers(request, forward).catch(() => ({ status: 502 }));
      response.writeHead(said.status, said.headers); response.end(said.body);
    }).listen(${port}, '${host}', () => console.log('"ready"'));`;
  const ready = Promise.withResolvers<void>();
  const child = asOther(script, (line) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the script above wrote it
    const said = JSON.parse(line) as 'ready' | HeardRequest;
    if (said === 'ready') ready.resolve();
    else heard.push(said);
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await Promise.race([ready.promise, ended.then(() => Promise.reject(new Error('the impostor did not begin')))]);
  return {
    heard,
    async end() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
