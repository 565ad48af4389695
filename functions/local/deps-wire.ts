import type { Approvals, Notice } from '../../shared/approvals/contract.ts';
import type { RunLog } from '../../shared/audit/log.ts';
import type { RecentEntries } from '../../shared/audit/recent.ts';
import { toolVersion } from '../../shared/base/version.ts';
import type { World } from '../../shared/base/world.ts';
import type { LoadedConfig } from '../../shared/config/load.ts';
import type { Config } from '../../shared/config/schema.ts';
import type { Firewall } from '../../shared/firewalls/contract.ts';
import type { FlowLog } from '../../shared/flow-logs/contract.ts';
import type { ClosingDeps } from '../../shared/idle-ports/closing/closing-deps.ts';
import type { ReminderDeps } from '../../shared/rotation/manual/manual-plan.ts';
import type { RotationDeps } from '../../shared/rotation/plan.ts';
import type { SecretStore } from '../../shared/secrets/contract.ts';
import { runEndings } from './endings.ts';
import { gatePlan } from './gate/from-config.ts';
import { once } from './once.ts';
import { peopleOf } from './people.ts';
import { closingPolicyOf } from './policies.ts';
import type { Stores } from './stores-wire.ts';

export interface LocalDepsOptions {
  readonly loaded: LoadedConfig;
  readonly world: World;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Names this run in the audit log. */
  readonly run: string;
  /** Told once about each thing that a person should put right. Default: nobody is. */
  readonly warn?: (text: string) => void;
}

/** What one configuration gives to the stories. Each is opened at its first use, and loads its drivers then. */
export interface LocalDeps {
  readonly config: Config;
  readonly world: World;
  stores(): Promise<Stores>;
  audit(): Promise<RunLog>;
  /** The read side of the log, for entries of these stories. */
  recent(stories: readonly string[]): Promise<RecentEntries>;
  secrets(): Promise<Readonly<Record<string, SecretStore>>>;
  /** By network. A gate that lockkeeper runs answers here also while it does not run. */
  firewalls(): Promise<ReadonlyMap<string, Firewall>>;
  /** By network. */
  flowLogs(): Promise<ReadonlyMap<string, readonly FlowLog[]>>;
  rotations(by: {
    readonly notify: (notice: Notice) => Promise<void>;
    readonly actor: string;
  }): Promise<ReadonlyMap<string, RotationDeps>>;
  /** By service: the credentials that nothing can rotate, and people renew. */
  reminders(by: {
    readonly notify: (notice: Notice) => Promise<void>;
    readonly actor: string;
  }): Promise<ReadonlyMap<string, ReminderDeps>>;
  closing(approvals: Approvals): Promise<ClosingDeps>;
  /** Brings the log's head up to date and frees what was opened. */
  close(): Promise<void>;
}

/** The dependencies of one machine. Nothing is opened yet. */
export function localDeps({ loaded, world, environment, run, warn }: LocalDepsOptions): LocalDeps {
  const { config } = loaded;
  const closers: (() => Promise<void>)[] = [];
  const stores = once(async () => (await import('./stores-wire.ts')).openStores(config, world, warn));
  const auditParts = once(async () => (await import('./audit-wire.ts')).openAudit(config, world));
  const audit = once(async () => {
    const { auditLog } = await import('../../shared/audit/log.ts');
    const log = auditLog({
      ...(await stores()),
      ...(await auditParts()),
      world,
      run,
      version: toolVersion,
    });
    closers.push(async () => void (await log.end()));
    return log;
  });
  const recent = async (stories: readonly string[]) => {
    const { recentEntries } = await import('../../shared/audit/recent.ts');
    const { writerOf } = await import('../../shared/audit/log-deps.ts');
    const [{ log }, keys] = [await stores(), await auditParts()];
    return recentEntries({ log, writer: () => writerOf(keys), stories });
  };
  const said = once(async () => {
    const { answerStories } = await import('../../shared/idle-ports/closing/said.ts');
    return recent(answerStories);
  });
  const secrets = once(async () => {
    const { secretStores } = await import('./credentials.ts');
    return secretStores(config, (await import('./credentials-wire.ts')).drivers, { world, environment });
  });
  const fingerprintKey = once(async () => {
    const { fingerprintKeyFile, openFingerprintKey } = await import('./fingerprint-key.ts');
    const file = fingerprintKeyFile(config);
    return file === undefined ? undefined : openFingerprintKey(file, world);
  });
  const firewalls = once(() => openFirewalls(config, world, closers));
  return {
    config,
    world,
    stores,
    audit,
    recent,
    secrets,
    firewalls,
    flowLogs: once(() => openFlowLogs(config)),
    async rotations(by) {
      const { rotationDeps } = await import('./credentials.ts');
      const kept = {
        drivers: (await import('./credentials-wire.ts')).drivers,
        secrets: await secrets(),
        state: (await stores()).state,
        audit: await audit(),
        fingerprintKey: await fingerprintKey(),
      };
      return rotationDeps({ config, world, environment, ...kept, ...by });
    },
    async reminders(by) {
      const { reminderDeps } = await import('./manual-credentials.ts');
      const kept = { secrets: await secrets(), state: (await stores()).state, audit: await audit() };
      return reminderDeps({ config, world, ...kept, fingerprintKey: await fingerprintKey(), ...by });
    },
    async closing(approvals) {
      // The facts behind verdicts lie beside the entries: evidence that goes before the log does proves nothing.
      const { state, log } = await stores();
      const people: ClosingDeps['people'] = (network, opening) => peopleOf(config, network, opening);
      return {
        world,
        state,
        audit: await audit(),
        said: await said(),
        evidence: log,
        approvals,
        firewalls: await firewalls(),
        policy: closingPolicyOf(config),
        people,
      };
    },
    close: () => runEndings(closers),
  };
}

async function openFirewalls(
  config: Config,
  world: World,
  closers: (() => Promise<void>)[],
): Promise<ReadonlyMap<string, Firewall>> {
  const { localGate } = await import('../../shared/firewalls/local-gate.ts');
  const { standIn } = await import('./gate/stand-in.ts');
  const { readToken } = await import('./gate/token.ts');
  const opened = new Map<string, Firewall>();
  for (const [name, { firewall }] of Object.entries(config.networks)) {
    if (firewall === undefined) continue;
    const plan = gatePlan(config, name);
    const stand = plan && (await standIn(plan, world));
    if (stand) closers.push(() => stand.close());
    opened.set(name, localGate({ name, url: firewall.url, token: await readToken(firewall.tokenFile), world }));
  }
  return opened;
}

async function openFlowLogs(config: Config): Promise<ReadonlyMap<string, readonly FlowLog[]>> {
  const { filesFlowLog } = await import('../../shared/flow-logs/files.ts');
  const clouds = { 'aws-vpc': 'aws', 'gcp-vpc': 'gcp', 'azure-vnet': 'azure' } as const;
  const opened = Object.entries(config.networks).map(([name, { flowLogs }]) => {
    const logs = flowLogs.map((log) =>
      filesFlowLog({ name: log.name, cloud: clouds[log.format], directory: log.directory }),
    );
    return [name, logs] as const;
  });
  return new Map(opened);
}
