import type { LockkeeperError } from '../../shared/base/error.ts';
import { formatInstant } from '../../shared/base/time.ts';
import type { World } from '../../shared/base/world.ts';

/** What `serve` says, one JSON object a line, for whatever gathers logs. Nothing in it is a secret. */
export interface ServeLog {
  info(job: string, text: string): void;
  warning(job: string, text: string): void;
  failure(job: string, error: LockkeeperError): void;
}

/** A log that writes its lines with `line`. */
export function serveLog(world: World, line: (text: string) => void): ServeLog {
  const write = (level: string, job: string, rest: object): void =>
    line(JSON.stringify({ at: formatInstant(world.now()), level, job, ...rest }));
  return {
    info: (job, text) => write('info', job, { text }),
    warning: (job, text) => write('warning', job, { text }),
    failure: (job, { code, message, hint }) =>
      write('error', job, { code, text: message, ...(hint === undefined ? {} : { hint }) }),
  };
}
