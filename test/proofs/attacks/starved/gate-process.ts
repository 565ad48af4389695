import { closeSync, openSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { systemWorld } from '../../../../shared/base/world.ts';
import { startGate, type GateOptions } from '../../../../functions/local/gate/gate.ts';

/** A gate in a process of its own: its options come as an argument, commands as lines; what it says goes out as lines. */
async function main(text: string): Promise<void> {
  const say = (what: object): void => console.log(JSON.stringify(what));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- starved-gate.ts wrote it
  const given = JSON.parse(text) as Omit<GateOptions, 'world' | 'onFailure'>;
  const gate = await startGate({
    ...given,
    world: systemWorld(),
    onFailure: ({ message }) => say({ failure: message }),
  });
  for (const service of gate.services) {
    const ports = { from: service.port, to: service.port };
    const open = { id: `to-${service.name}`, name: '', protocol: 'tcp', ports, sources: ['127.0.0.0/16'] } as const;
    await gate.rules.put(
      { ...open, targets: [service.interface], description: '', createdAt: gateWorldStart, tags: {} },
      'absent',
    );
  }
  say({ services: gate.services });
  const held: number[] = [];
  for await (const line of createInterface({ input: process.stdin })) {
    if (line === 'hog') hog(held);
    if (line === 'leave one') closeSync(held.pop() ?? -1);
    if (line === 'free') for (const file of held.splice(0)) closeSync(file);
    if (line === 'close') await gate.close();
    say({ done: line });
    if (line === 'close') process.exit(0);
  }
}

const gateWorldStart = systemWorld().now();

/** Another part of the process takes every descriptor that is left. */
function hog(held: number[]): void {
  try {
    for (;;) held.push(openSync('/dev/null', 'r'));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EMFILE')) throw error;
  }
}

await main(process.argv[2] ?? '');
