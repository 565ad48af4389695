import { hasCode, LockkeeperError } from '../../../../shared/base/error.ts';
import { Sealed } from '../../../../shared/base/sealed.ts';
import { systemWorld } from '../../../../shared/base/world.ts';
import type { Firewall } from '../../../../shared/firewalls/contract.ts';
import { localGate } from '../../../../shared/firewalls/local-gate.ts';
import { ruleAsPlain, ruleFingerprint } from '../../../../shared/firewalls/local-gate/rule.ts';
import { mustHold } from '../attack.ts';
import { freePorts, type GateScene } from './gate-scene.ts';
import { asOther, impostor, isOtherAccount, type HeardRequest } from './impostor.ts';

/** While serve is down, another account answers in every way it can think of; lockkeeper calls, as any command does. */
export async function listens(scene: GateScene): Promise<void> {
  const { adminPort } = scene;
  const [elsewhere = 0] = await freePorts(1);
  const collector = await impostor({ port: elsewhere, answers: 'return { status: 200, body: "{}" };' });
  const echo =
    'return { status: 204, headers: { "lockkeeper-nonce": request.headers["lockkeeper-nonce"] ?? "", "lockkeeper-proof": request.headers["lockkeeper-proof"] ?? "" } };';
  const state = JSON.stringify({ cloud: 'aws', ruleSet: 'vpc', interfaces: [], rules: [] });
  const ways = [
    ...[200, 204, 401, 404, 407].map(
      (status) =>
        `return { status: ${status}, headers: { "www-authenticate": "Bearer" }, body: ${status === 204 ? '""' : JSON.stringify(state)} };`,
    ),
    ...[301, 302, 303, 307, 308].map(
      (status) => `return { status: ${status}, headers: { location: "http://127.0.0.1:${elsewhere}" + request.url } };`,
    ),
    echo,
    `return { status: 204, headers: { "lockkeeper-nonce": "${'0'.repeat(32)}", "lockkeeper-proof": "${'0'.repeat(64)}" } };`,
  ];
  for (const answers of ways) {
    const other = await impostor({ port: adminPort, answers });
    const firewall = await scene.firewall();
    await believes(scene, firewall, answers);
    await other.end();
    nothingLearned(scene, other.heard);
    mustHold(
      other.heard.every(({ url }) => url === '/challenge'),
      'lockkeeper sent its request to whoever listens',
    );
  }
  mustHold(collector.heard.length === 0, 'lockkeeper followed a redirect');
  await collector.end();
}

/** Neither a read nor a write may take the impostor for the gate. */
async function believes(scene: GateScene, firewall: Firewall, how: string): Promise<void> {
  const prepared = preparedOf(scene);
  for (const call of [() => firewall.openings(), () => firewall.apply(prepared), () => firewall.restore(prepared)]) {
    const said: unknown = await call().then(
      () => undefined,
      (error: unknown) => error,
    );
    scene.tried += 1;
    mustHold(said instanceof LockkeeperError, `lockkeeper believed an impostor that does: ${how.slice(0, 90)}`);
    if (!hasCode(said, 'denied') && !hasCode(said, 'unreachable') && !hasCode(said, 'uncertain')) throw said;
  }
}

function preparedOf({ rule }: GateScene) {
  return {
    firewall: 'office',
    change: { kind: 'close', opening: rule.id },
    before: ruleAsPlain(rule),
    after: undefined,
    fingerprint: ruleFingerprint(rule),
    rejectsVisible: true,
    openConnectionsLastMs: undefined,
  } as const;
}

function nothingLearned({ token }: GateScene, heard: readonly HeardRequest[]): void {
  const text = JSON.stringify(heard);
  const forms = [token, Buffer.from(token).toString('base64').slice(0, 40), Buffer.from(token).toString('hex')];
  mustHold(!forms.some((form) => text.includes(form)), 'the token was sent');
}

/** The gate listens elsewhere, and the impostor passes on what lockkeeper says. */
export async function relays(scene: GateScene): Promise<void> {
  const [elsewhere = 0] = await freePorts(1);
  const gate = await scene.gate(elsewhere);
  const other = await impostor({ port: scene.adminPort, answers: forwardTo(elsewhere) });
  await believes(scene, await scene.firewall(), 'relays from another port');
  nothingLearned(scene, other.heard);
  await other.end();
  unchanged(scene, gate.rules.rules());
  await gate.close();
}

function forwardTo(port: number, change = ''): string {
  return `let said = request; let given; const target = { host: '127.0.0.1', port: ${port} };
    const isCall = request.url !== '/challenge';
    ${change.includes('before:') ? change.replace('before:', '') : ''}
    given = await forward(target, said);
    ${change.includes('after:') ? change.replace('after:', '') : ''}
    return given;`;
}

/** At the gate's own port on another address, as where "localhost" has two, the impostor changes what it passes on. */
export async function tampers(scene: GateScene): Promise<void> {
  const { adminPort, rule } = scene;
  const gate = await scene.gate();
  const more = { ...rule, id: 'to-other', sources: ['127.0.7.0/24'] };
  await gate.rules.put(more, 'absent');
  const forged = JSON.stringify(ruleAsPlain({ ...rule, id: 'forged', sources: ['0.0.0.0/0'] }));
  const changes = [
    `before: if (isCall) said = { ...said, url: '/openings/to-other', headers: { ...said.headers, 'if-match': '"${ruleFingerprint(more)}"' } };`,
    `before: if (isCall) { const body = ${JSON.stringify(forged)}; said = { ...said, method: 'POST', url: '/openings', body, headers: { ...said.headers, 'content-length': String(Buffer.byteLength(body)) } }; }`,
    `before: if (isCall && said.body !== '') { const body = said.body.replace('127.0.0.0/8', '0.0.0.0/0'); said = { ...said, body, headers: { ...said.headers, 'content-length': String(Buffer.byteLength(body)) } }; }`,
    `after: if (isCall) given = { ...given, status: 204, body: '' };`,
    `after: if (isCall) { const body = given.body.replace('"to-web"', '"to-xyz"').replace('127.0.0.0/8', '127.0.0.0/9'); given = { ...given, body }; }`,
    `before: if (isCall) return { status: 404, body: '{}' };`,
    `before: if (isCall) return { status: 307, headers: { location: 'http://127.0.0.1:${adminPort}/openings' } };`,
  ];
  for (const change of changes) {
    const other = await impostor({ host: '127.0.0.9', port: adminPort, answers: forwardTo(adminPort, change) });
    const firewall = between(scene);
    const calls: (() => Promise<unknown>)[] = change.includes('said.body')
      ? [() => firewall.restore(preparedOf(scene))]
      : [() => firewall.openings()];
    if (change.includes('204') || change.includes('404')) calls.push(() => firewall.apply(unknownFingerprint(scene)));
    if (change.includes('said.body')) await gate.rules.remove(rule.id, { fingerprint: ruleFingerprint(rule) });
    for (const call of calls) await refuses(scene, call, change);
    await other.end();
    nothingLearned(scene, other.heard);
    if (change.includes('said.body')) await gate.rules.put(rule, 'absent');
    mustHold(gate.rules.rules().length === 2, `the rules were changed by: ${change}`);
    unchanged(scene, gate.rules.rules());
  }
  await gate.rules.remove(more.id, { fingerprint: ruleFingerprint(more) });
  await gate.close();
}

/** lockkeeper on the other side of the impostor. */
function between({ adminPort, token }: GateScene): Firewall {
  const url = `http://127.0.0.9:${adminPort}`;
  return localGate({ name: 'office', url, token: new Sealed(token), world: systemWorld(), timeoutMs: 2_000 });
}

function unknownFingerprint(scene: GateScene) {
  return { ...preparedOf(scene), fingerprint: '0'.repeat(64) };
}

async function refuses(scene: GateScene, call: () => Promise<unknown>, how: string): Promise<void> {
  scene.tried += 1;
  const said: unknown = await call().then(
    () => undefined,
    (error: unknown) => error,
  );
  mustHold(said instanceof LockkeeperError, `lockkeeper believed what was changed on the way: ${how}`);
}

function unchanged({ rule }: GateScene, rules: readonly { readonly id: string }[]): void {
  const live = rules.find(({ id }) => id === rule.id);
  mustHold(JSON.stringify(live) === JSON.stringify(rule), 'the opening was changed');
  mustHold(!rules.some(({ id }) => id === 'forged'), 'a port was opened');
}

/** The impostor passed everything on, unchanged, and says it again: at once, and after a restart of the gate. */
export async function replays(scene: GateScene): Promise<void> {
  const { adminPort, rule } = scene;
  let gate = await scene.gate();
  const other = await impostor({ host: '127.0.0.9', port: adminPort, answers: forwardTo(adminPort) });
  const firewall = between(scene);
  await firewall.openings();
  await firewall.apply(preparedOf(scene));
  if (gate.rules.rules().length !== 0) throw new Error('the way through an honest relay does not work');
  await firewall.restore(preparedOf(scene));
  await other.end();
  nothingLearned(scene, other.heard);
  for (const isRestarted of [false, true]) {
    if (isRestarted) {
      await gate.close();
      gate = await scene.gate();
    }
    for (const request of other.heard) {
      await send(scene, request);
      if (request.url !== '/challenge')
        await send(scene, { ...request, headers: { ...request.headers, ...(await freshNonce(scene, other.heard)) } });
      mustHold(gate.rules.rules().length === 1, `a recorded ${request.method} changed the rules; ${rule.id} is gone`);
    }
    unchanged(scene, gate.rules.rules());
  }
  await gate.close();
}

/** A recorded hello gets a new nonce; it helps nobody. */
async function freshNonce(scene: GateScene, heard: readonly HeardRequest[]): Promise<Record<string, string>> {
  const hello = heard.find(({ url }) => url === '/challenge');
  if (hello === undefined) throw new Error('no hello was recorded');
  const given = await send(scene, hello);
  return { 'lockkeeper-nonce': given.headers.get('lockkeeper-nonce') ?? '' };
}

async function send(scene: GateScene, { method, url, headers, body }: HeardRequest): Promise<Response> {
  scene.tried += 1;
  const kept = Object.entries(headers).filter(([name]) => !['host', 'connection', 'content-length'].includes(name));
  const init = { method, headers: Object.fromEntries(kept), ...(body === '' ? {} : { body }) };
  return await fetch(`http://127.0.0.1:${scene.adminPort}${url}`, init);
}

/** The other account speaks with the gate itself, and looks for the token where it lies. */
export async function outsiders(scene: GateScene): Promise<void> {
  const gate = await scene.gate();
  const body = JSON.stringify(ruleAsPlain({ ...scene.rule, id: 'forged', sources: ['0.0.0.0/0'] }));
  const proofs = [{}, { authorization: 'Bearer x' }, { authorization: `Bearer ${'0'.repeat(64)}` }];
  const nonces = ['', '0'.repeat(32), 'x'].map((nonce) => ({
    'lockkeeper-nonce': nonce,
    'lockkeeper-proof': '0'.repeat(64),
  }));
  for (const headers of [...proofs, ...nonces])
    for (const [method, url] of [
      ['POST', '/openings'],
      ['PUT', '/openings/forged'],
      ['DELETE', '/openings/to-web'],
      ['GET', '/openings'],
      ['POST', '/challenge'],
    ] as const) {
      const conditions = { 'if-none-match': '*', 'if-match': `"${ruleFingerprint(scene.rule)}"` };
      const sent = { method, url, headers: { ...headers, ...conditions }, body: method === 'GET' ? '' : body };
      const given = await send(scene, sent);
      mustHold(given.status === 401, `${method} ${url} without a proof was answered ${given.status}`);
    }
  unchanged(scene, gate.rules.rules());
  await gate.close();
  if (isOtherAccount) await readsToken(scene);
}

async function readsToken(scene: GateScene): Promise<void> {
  const lines: string[] = [];
  const script = `import { readFileSync, readdirSync } from 'node:fs';
    for (const path of ['gate/token', 'gate']) try { console.log(String(path === 'gate' ? readdirSync(${JSON.stringify(scene.directory)} + '/gate') : readFileSync(${JSON.stringify(scene.directory)} + '/' + path))); } catch { console.log('kept from it'); }`;
  const child = asOther(script, (line) => lines.push(line));
  await new Promise((resolve) => child.once('close', resolve));
  scene.tried += 2;
  mustHold(
    lines.every((line) => line === 'kept from it') && lines.length === 2,
    'another account read the token’s directory',
  );
}

/** The way of the README: the gate runs, lockkeeper reads, closes and puts back; and so it does while the gate is down. */
export async function stillWorks(scene: GateScene): Promise<void> {
  for (const isRunning of [true, false]) {
    const gate = isRunning ? await scene.gate() : undefined;
    const firewall = await scene.firewall();
    const [opening] = (await firewall.openings()).openings;
    if (opening?.id !== scene.rule.id) throw new Error('lockkeeper does not see the opening');
    const prepared = await firewall.prepare({ kind: 'close', opening: opening.id });
    await firewall.apply(prepared);
    mustHold((await firewall.openings()).openings.length === 0, 'lockkeeper cannot close');
    await firewall.restore(prepared);
    mustHold((await firewall.openings()).openings.length === 1, 'lockkeeper cannot restore');
    await gate?.close();
  }
}
