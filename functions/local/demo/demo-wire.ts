import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { LockkeeperError } from '../../../shared/base/error.ts';
import { makePrivateFolder, writePrivateFile } from '../../../shared/base/private-files.ts';
import { after, day } from '../../../shared/base/time.ts';
import { systemWorld } from '../../../shared/base/world.ts';
import { loadConfig } from '../../../shared/config/load.ts';
import type { Terminal } from '../../cli/io.ts';
import { openPage, type PageEvents } from '../page-wire.ts';
import { localDeps } from '../deps-wire.ts';
import { stoppingWorld } from '../stopping-world.ts';
import { comeAlive } from './alive.ts';
import { adminPasswordFile, configText } from './config-text.ts';
import { makeRoles, type FirstLogins } from './database.ts';
import { worldUpTo } from './history.ts';
import { people } from './miniature.ts';
import type { Stage } from './stage.ts';
import type { Teller } from './teller.ts';

const historyDays = 45;

export interface StageOptions {
  readonly isScript: boolean;
  /** Where the stores stay; undefined: in a temporary place that is removed. */
  readonly keep: string | undefined;
  readonly terminal: Terminal;
  readonly teller: Teller;
}

/** The stage with everything on it. `strike` ends all of it by handle, in order; repeatable. */
export interface SetStage {
  readonly stage: Stage;
  readonly first: FirstLogins;
  readonly configFile: string;
  /** Removed at the end. */
  readonly scratch: string;
  strike(): Promise<void>;
}

/** Builds the stage: directories, the miniature multi-cloud, a configuration, the dependencies it gives, the page. */
export async function setStage({ isScript, keep, terminal, teller }: StageOptions): Promise<SetStage> {
  const scratch = await mkdtemp(join(tmpdir(), 'lockkeeper-demo-'));
  // PostgreSQL may run as another user, who must be able to walk through.
  await chmod(scratch, 0o711);
  const endings: (() => Promise<void>)[] = [() => rm(scratch, { recursive: true, force: true, maxRetries: 3 })];
  const strike = async (): Promise<void> => {
    for (const end of endings.splice(0).toReversed()) await end();
  };
  try {
    const directory = await emptyDirectory(keep ?? join(scratch, 'kept'));
    const real = systemWorld();
    const world = worldUpTo(real, after(real.now(), -historyDays * day));
    const alive = await comeAlive({
      world,
      directory,
      scratch: join(scratch, 'postgres'),
      onFailure: (error) => terminal.err(error.message),
    });
    endings.push(() => alive.stop());
    const first = await makeRoles(alive.postgres, world, join(directory, adminPasswordFile));
    const configFile = join(directory, 'lockkeeper.yaml');
    await writePrivateFile(configFile, configText(alive), { over: 'create' });
    const deps = localDeps({
      loaded: await loadConfig(configFile),
      world: stoppingWorld(real, terminal.signal),
      environment: {},
      run: 'demo',
    });
    endings.push(() => deps.close());
    const page = await openPage(people.approvers, { port: 0, world: real, events: eventsFor(teller) });
    endings.push(() => page.close());
    page.serve(await deps.closing(page.page));
    const [approver] = people.approvers;
    const stage: Stage = { teller, alive, deps, page, world, directory, approver, isScript, signal: terminal.signal };
    return { stage, first, configFile, scratch, strike };
  } catch (error) {
    await strike();
    throw error;
  }
}

/** Never mixes with what an earlier demo, or anything else, left there. */
async function emptyDirectory(path: string): Promise<string> {
  const directory = resolve(path);
  await makePrivateFolder(directory);
  if ((await readdir(directory)).length === 0) return directory;
  throw new LockkeeperError('conflict', `${directory} is not empty`, { hint: 'Give --keep a new or empty directory.' });
}

function eventsFor(teller: Teller): PageEvents {
  return {
    newLink: (who, address) => teller.shows(`${who} decides at ${address.open()}`),
    signedIn: () => undefined,
  };
}
