import { LockkeeperError } from '../../shared/base/error.ts';
import type { ConfigFile } from '../../shared/config/read-text.ts';
import { serveLog } from '../local/serve-log.ts';
import { startServing } from '../local/serve-wire.ts';
import { untilAborted } from '../local/until-aborted.ts';
import { exitCode, type ExitCode, type Terminal } from './io.ts';

export interface ServeOptions {
  /** Of the approvals page; as configured where it is not given. */
  readonly port?: string | undefined;
}

/**
 * `lockkeeper serve [--port N]`: rotates, collects, scans, closes and watches at the configured times, with the
 * approvals page and the gates that lockkeeper runs. Ends on SIGTERM and Ctrl-C after the present step. Links to the page
 * go to stdout, each for one sign-in within an hour; more when somebody asks for one on the page. What happens goes to
 * stderr as JSON lines.
 */
export async function serveVerb(options: ServeOptions, configFile: ConfigFile, terminal: Terminal): Promise<ExitCode> {
  const show = (addresses: ReadonlyMap<string, string>): void => {
    if (terminal.json) terminal.out(JSON.stringify({ addresses: Object.fromEntries(addresses) }));
    else for (const [who, address] of addresses) terminal.out(`${who} decides at ${address}`);
  };
  const serving = await startServing({
    configFile,
    port: portOf(options.port),
    environment: process.env,
    log: (world) => serveLog(world, (line) => terminal.err(line)),
    newLink: (who, address) => show(new Map([[who, address]])),
    signal: terminal.signal,
  });
  try {
    show(serving.addresses);
    await untilAborted(terminal.signal);
    return exitCode.done;
  } finally {
    await serving.stop();
  }
}

function portOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw new LockkeeperError('invalid', `${text} is not a port`, {
    hint: 'Give --port a number from 0 to 65535; 0 takes a free one.',
  });
}
