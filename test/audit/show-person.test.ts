import { expect, test } from '@jest/globals';
import { auditShowVerb } from '../../functions/cli/audit-show.ts';
import { event, place, runOn, writer } from './place.ts';

test('show --person takes any spelling of a name, leaves out what only looks like it, and says so', async () => {
  const at = place();
  const log = runOn(at, 'run');
  for (const actor of ['ann', 'Ann', '\u0430nn', 'ben']) await log.record(event(1, { actor }));
  const [out, err]: [string[], string[]] = [[], []];
  const terminal = {
    json: true,
    signal: new AbortController().signal,
    out: (line: string) => void out.push(line),
    err: (line: string) => void err.push(line),
  };
  const stores = async () => ({
    log: at.log,
    state: undefined,
    history: undefined,
    where: 'here',
    kind: 'log' as const,
    verifyWith: undefined,
    anchors: [],
    writer,
  });
  await auditShowVerb({ person: 'ANN' }, { stores, text: async () => '' }, terminal);
  expect(out).toHaveLength(2);
  expect(err[0]).toContain('by \u0430nn, which only looks like');
});
