import { after, hour, minute } from '../../../shared/base/time.ts';
import { entries } from '../../../shared/audit/read.ts';
import { visit } from '../../local/gate-place.ts';
import { mustHold, type Attack } from './attack.ts';
import { clients, Office } from './closing/office.ts';
import { watched } from './closing/other-logs.ts';
import { spoofed } from './closing/packets.ts';

const knownSources = 'shared/idle-ports/closing/known-sources.ts';

export const attack: Attack = {
  number: 14,
  about: 'packets with made-up senders to a closed port',
  run: async () => {
    const office = await Office.open({ port: 24_100 });
    try {
      const packets = await attackOffice(office);
      const logs = await otherLogs(office);
      return `${packets} packets at a real gate, and ${logs} logs of AWS, GCP and Azure, reopened nothing, hid nobody and stopped no other closing; the real client, refused twice, was let in again`;
    } finally {
      await office.close();
    }
  },
  switchedBack: [
    {
      name: 'a-client-of-any-port-is-known',
      file: knownSources,
      find: 'const here = [...uses, ...rows.filter(isOneWay)].filter(isAt(closure));',
      replace: 'const here = [...uses, ...rows.filter(isOneWay)];',
    },
    {
      name: 'one-packet-is-enough',
      file: 'shared/idle-ports/closing/watch-decision.ts',
      find: 'missing.find(({ insists }) => insists)',
      replace: 'missing.find(() => true)',
    },
    {
      name: 'a-client-becomes-a-scanner',
      file: knownSources,
      find: "if (this.#clients.has(who)) return { ...nobody, known: true, why: 'it has used this opening before' };",
      replace:
        "if (this.#clients.has(who) && (this.#turnedAway.get(who)?.size ?? 0) < this.#policy.scannerPorts) return { ...nobody, known: true, why: 'it has used this opening before' };",
    },
    {
      name: 'a-reopening-stops-every-closing',
      file: 'shared/idle-ports/closing/limits.ts',
      find: 'reopening?.standstill === true',
      replace: 'reopening?.automatic === true',
    },
    {
      name: 'a-crowd-hides-a-client',
      file: 'shared/idle-ports/closing/watch-decision.ts',
      find: 'Math.max(0, 2 * mostKnockers - told.size)',
      replace: 'Math.max(0, mostKnockers - told.size)',
    },
    {
      name: 'a-notice-names-the-whole-crowd',
      file: 'shared/idle-ports/closing/watch.ts',
      find: '.slice(0, mostNamed)',
      replace: '.slice(0)',
    },
  ],
};

/** All of it against one network; answers how many packets were sent. */
async function attackOffice(office: Office): Promise<number> {
  await office.says('ada', 'to-silent');
  await office.look();
  mustHold((await visit(office.portOf('silent'), 'x', clients.silent)) === 'reset', 'it was never closed');
  office.world.pass(hour);
  const attacker = new Attacker(office);
  await crowd(attacker);
  await strangersToThisOpening(attacker);
  await framed(attacker);
  await onePacket(attacker);
  await theRealClient(office);
  await nobodyElse(office);
  return attacker.packets;
}

/** The same in the logs of every cloud. GCP and Azure count no refused packets, so there its name alone tells. */
async function otherLogs(office: Office): Promise<number> {
  const { closure } = await office.held('to-idle');
  const at = { closure, world: office.world };
  let logs = 0;
  for (const cloud of ['aws', 'gcp', 'azure'] as const) {
    const neighbour = await watched(cloud, { client: 0, neighbour: 9 }, at);
    mustHold(neighbour === 'notify', `a client of another port, in a log of ${cloud}: ${neighbour}`);
    const client = await watched(cloud, { client: 3, neighbour: 1 }, at);
    mustHold(client === 'reopen', `a client that retries, in a log of ${cloud}: ${client}`);
    const once = await watched(cloud, { client: 1, neighbour: 0 }, at);
    mustHold(once === (cloud === 'aws' ? 'notify' : 'reopen'), `one packet, in a log of ${cloud}: ${once}`);
    logs += 3;
  }
  return logs;
}

/** Writes what the gate's own log shows of packets whose sender is made up: no such packet gets an answer. */
class Attacker {
  packets = 0;
  readonly office: Office;

  constructor(office: Office) {
    this.office = office;
  }

  async send(peer: string, { port = this.office.portOf('silent'), times = 1 } = {}): Promise<void> {
    const { gate, world } = this.office;
    const at = after(world.now(), -minute);
    const packet = { peer, port, at, interface: this.office.interfaceOf('silent') };
    gate.log.add({
      from: after(at, -minute),
      to: world.now(),
      slices: Array.from({ length: times }, (_, n) => spoofed(packet, n)),
      losses: [],
    });
    this.packets += times;
  }
}

/** Two days of senders that nobody ever saw: more than the log names one by one. */
async function crowd(attacker: Attacker): Promise<void> {
  const { office } = attacker;
  for (let days = 0; days < 2; days += 1) {
    for (let n = 0; n < 120; n += 1) await attacker.send(`127.${77 + days}.0.${n + 1}`);
    await office.look();
    office.world.pass(12 * hour);
  }
  await mustBeClosed(office, 'a crowd of strangers reopened it');
  const longest = Math.max(...office.notices.map(({ text }) => text.length));
  mustHold(longest < 2_000, `a notice grew to ${longest} characters`);
}

/** Who uses another service here is spoofed at this opening. */
async function strangersToThisOpening(attacker: Attacker): Promise<void> {
  const { office } = attacker;
  await attacker.send(clients.busy, { times: 5 });
  await office.look();
  await mustBeClosed(office, 'a client of another port reopened it');
  mustHold(isTold(office, clients.busy), 'nobody was told that a client of another port is refused');
}

/** The opening's client is spoofed at forty other ports. */
async function framed(attacker: Attacker): Promise<void> {
  for (let port = 1; port <= 40; port += 1) await attacker.send(clients.silent, { port });
  await attacker.office.look();
  await mustBeClosed(attacker.office, 'packets to other ports reopened it');
}

async function onePacket(attacker: Attacker): Promise<void> {
  const { office } = attacker;
  office.world.pass(hour);
  await attacker.send(clients.silent);
  await office.look();
  await mustBeClosed(office, 'one packet of a made-up sender reopened it');
  mustHold(isTold(office, clients.silent), 'nobody was told that its client is refused');
  const { log } = await office.deps.stores();
  const named: string[] = [];
  for await (const { event } of entries({ log }))
    if (event.action === 'closure.knock') named.push(JSON.stringify(event.details));
  mustHold(
    named.some((text) => text.includes(`"${clients.silent}"`)),
    'the log does not tell of the client behind the crowd',
  );
}

/** A real client that comes back as clients do. */
async function theRealClient(office: Office): Promise<void> {
  for (let tries = 0; tries < 2; tries += 1) {
    mustHold((await visit(office.portOf('silent'), 'x', clients.silent)) === 'reset', 'it was open all the time');
    office.world.pass(hour);
  }
  await office.look();
  const { phase } = (await office.held('to-silent')).closure;
  mustHold(phase === 'reopened', `the real client stays locked out: it is ${phase}`);
  mustHold((await visit(office.portOf('silent'), 'hello', clients.silent)) === 'hello', 'the real client gets nothing');
}

/** What happened concerns that opening alone: the next one is closed in the very next run. */
async function nobodyElse(office: Office): Promise<void> {
  mustHold((await office.held('to-idle')).closure.phase === 'proposed', 'another question changed');
  await office.says('ada', 'to-idle');
  await office.look();
  const { phase } = (await office.held('to-idle')).closure;
  mustHold(phase === 'quarantined', 'packets to one port keep every other from being closed');
  mustHold((await visit(office.portOf('idle'))) === 'reset', 'the other port is not closed');
}

async function mustBeClosed(office: Office, reached: string): Promise<void> {
  mustHold((await office.held('to-silent')).closure.phase === 'quarantined', reached);
}

function isTold(office: Office, who: string): boolean {
  return office.notices.some(({ text, level }) => text.includes(`${who} at`) && level !== 'info');
}
