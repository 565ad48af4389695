import { spawnSync } from 'node:child_process';

/** Another account of this machine: nobody, without a group. */
export const other = { uid: 65_534, gid: 65_534 } as const;

/** Whether this process can act as that account: only root can. */
export const hasOther = process.geteuid?.() === 0;

/** Runs a shell script as the other account, from a directory that it may be in, and answers what it printed. Throws where this is not root, who alone can. */
export function asOther(script: string): string {
  if (!hasOther) throw new Error('only root can act as another account: run it as root');
  const words = ['--reuid=65534', '--regid=65534', '--clear-groups', 'sh', '-c', script];
  const { status, stdout, stderr, error } = spawnSync('setpriv', words, {
    cwd: '/',
    encoding: 'utf8',
    timeout: 20_000,
  });
  if (error) throw error;
  if (status === 0) return stdout;
  throw new Error(`as another account, ${script} ended with ${status ?? 'a signal'}: ${stderr}`);
}
