import type { Config } from '../../shared/config/schema.ts';
import { defaultClosingPolicy, type ClosingPolicy } from '../../shared/idle-ports/closing/limits.ts';
import { defaultIdlePolicy, type IdlePolicy } from '../../shared/idle-ports/judging/policy.ts';

/** How the configuration wants openings judged; where it says nothing, the defaults. */
export function idlePolicyOf({ idlePorts }: Pick<Config, 'idlePorts'>): IdlePolicy {
  return { ...defaultIdlePolicy, minCoverage: idlePorts.minCoverage, scanners: idlePorts.scanners };
}

/** How carefully the configuration wants them closed. */
export function closingPolicyOf({ idlePorts }: Pick<Config, 'idlePorts'>): ClosingPolicy {
  return {
    ...defaultClosingPolicy,
    approvalExpiresMs: idlePorts.approvalExpires.ms,
    executionExpiresMs: idlePorts.executionExpires.ms,
    quarantineMs: idlePorts.quarantine.ms,
    autoReopen: idlePorts.autoReopen,
    knownSources: idlePorts.knownSources,
    scanners: idlePorts.scanners,
    maxClosuresPerRun: idlePorts.maxClosuresPerRun,
    freezes: idlePorts.freezes,
    exemptions: idlePorts.exemptions.map(({ network, opening, until, why }) => ({
      firewall: network,
      opening,
      until,
      why,
    })),
  };
}
