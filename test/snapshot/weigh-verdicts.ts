import type { Labelled } from './random-account.ts';
import type { Printed } from './run-scan.ts';

/** How verdicts compare with what is true of an account. */
export interface Weighed {
  /** Used, and called less than used; or narrow without a port that was used. Must never be. */
  readonly falselyIdle: readonly string[];
  /** Used by nobody, and called used or cannot-tell. */
  readonly needless: readonly string[];
  /**
   * Of these, rules for one port, where nothing can be unclear: ping, and wide rules that replies come through, can be.
   */
  readonly inexcusable: readonly string[];
  readonly judged: number;
}

/** Compares verdicts with labels. */
export function weighVerdicts({ account, used }: Labelled, { verdicts }: Printed): Weighed {
  const falselyIdle = verdicts.filter(({ rule, verdict, usedPorts }) => {
    const ports = used.get(rule);
    if (!ports || verdict === 'used') return false;
    return (
      verdict !== 'narrow' ||
      [...ports].some((port) => port >= 0 && !usedPorts.some(({ from, to }) => from <= port && port <= to))
    );
  });
  const needless = verdicts.filter(
    ({ rule, verdict }) => !used.has(rule) && verdict !== 'unused' && verdict !== 'no-effect',
  );
  const ofOnePort = new Set(
    account.rules
      .filter((rule) => 'FromPort' in rule && 'ToPort' in rule && rule.FromPort === rule.ToPort && rule.FromPort !== -1)
      .map(idOf),
  );
  const inexcusable = needless.filter(({ rule }) => ofOnePort.has(rule));
  const told = ({ rule, verdict, reasons }: Printed['verdicts'][number]): string =>
    `${rule} ${verdict}: ${reasons[0]?.text}`;
  return {
    falselyIdle: falselyIdle.map(told),
    needless: needless.map(told),
    inexcusable: inexcusable.map(told),
    judged: verdicts.length,
  };
}

function idOf(rule: object): unknown {
  return 'SecurityGroupRuleId' in rule ? rule.SecurityGroupRuleId : undefined;
}
