import { letIn, say, scram, type Caller, type ScramTwist } from './hostile-postgres.ts';

/** One way in which a server, or whoever answers in its place, may misbehave. */
export interface HostileLogin {
  readonly name: string;
  /** `knows`: the server has the password, so being let in proves something; what comes later must do no harm. */
  readonly knows?: boolean;
  readonly script: (caller: Caller, password: string) => Promise<void>;
}

const salt = Buffer.from('salt');

/** Waits for what the client says to a request that it must not answer. */
async function asked(caller: Caller, ...messages: readonly Buffer[]): Promise<void> {
  caller.send(...messages);
  await caller.next();
  await letIn(caller);
}

function twisted(name: string, twist: ScramTwist): HostileLogin {
  return {
    name,
    async script(caller, password) {
      await scram(caller, `not-${password}`, twist);
      await letIn(caller);
    },
  };
}

function afterwards(name: string, ...messages: readonly Buffer[]): HostileLogin {
  return {
    name,
    knows: true,
    async script(caller, password) {
      await scram(caller, password);
      await letIn(caller, () => messages);
    },
  };
}

/** Requests for something else than SCRAM, alone or in the middle of it. */
const requests: readonly HostileLogin[] = [
  { name: 'asks for the password in clear', script: (caller) => asked(caller, say.auth(3)) },
  { name: 'asks for the password as md5', script: (caller) => asked(caller, say.auth(5, salt)) },
  {
    name: 'asks for SCRAM and at once for clear',
    script: (caller) => asked(caller, say.sasl('SCRAM-SHA-256'), say.auth(3)),
  },
  {
    name: 'asks for SCRAM and at once for md5',
    script: (caller) => asked(caller, say.sasl('SCRAM-SHA-256'), say.auth(5, salt)),
  },
  ...[3, 5].map((code) => ({
    name: `begins SCRAM and then asks by ${code}`,
    async script(caller: Caller) {
      caller.send(say.sasl('SCRAM-SHA-256'));
      await caller.next();
      await asked(caller, say.auth(code, code === 5 ? salt : ''));
    },
  })),
  ...[3, 5].map((code) => ({
    name: `goes through all of SCRAM and then asks by ${code}`,
    knows: true,
    async script(caller: Caller, password: string) {
      await scram(caller, password);
      await asked(caller, say.auth(code, code === 5 ? salt : ''));
    },
  })),
  ...[3, 5].map((code) => afterwards(`asks by ${code} when a statement comes`, say.auth(code, code === 5 ? salt : ''))),
  ...[2, 4, 6, 7, 8, 9, 13, 99, -1].map((code) => ({
    name: `asks by ${code}`,
    script: (caller: Caller) => asked(caller, say.auth(code)),
  })),
  { name: 'asks by half a number', script: (caller) => asked(caller, say.message('R', Buffer.from([0, 0]))) },
  { name: 'asks for md5 without a salt', script: (caller) => asked(caller, say.auth(5)) },
  { name: 'offers no mechanism', script: (caller) => asked(caller, say.sasl()) },
  { name: 'offers a token instead', script: (caller) => asked(caller, say.sasl('OAUTHBEARER', 'PLAIN')) },
  { name: 'offers channel binding without TLS', script: (caller) => asked(caller, say.sasl('SCRAM-SHA-256-PLUS')) },
  {
    name: 'asks for SCRAM twice',
    script: (caller) => asked(caller, say.sasl('SCRAM-SHA-256'), say.sasl('SCRAM-SHA-256')),
  },
];

/** A server that proves nothing. */
const unproven: readonly HostileLogin[] = [
  {
    name: 'refuses before it asks',
    async script(caller) {
      caller.send(say.error({ S: 'FATAL', C: '28000', M: 'no pg_hba.conf entry for host' }));
      caller.close();
    },
  },
  { name: 'asks for nothing', script: (caller) => letIn(caller) },
  { name: 'is ready at once', script: (caller) => asked(caller, say.ready()) },
  {
    name: 'is content after the first message',
    async script(caller) {
      caller.send(say.sasl('SCRAM-SHA-256'));
      await caller.next();
      await letIn(caller);
    },
  },
  twisted('gives no final message', { final: null }),
  twisted('gives a wrong signature', {}),
  twisted('gives an empty signature', { final: () => 'v=' }),
  twisted('gives no signature', { final: () => 'x=y' }),
  twisted('gives an error for a signature', { final: () => 'e=other-error' }),
  twisted('waits for no answer', { hasty: true }),
  twisted('does not extend the nonce', { nonce: (client) => client }),
  twisted('makes another nonce', { nonce: () => 'another-nonce-that-is-long' }),
  twisted('gives an empty salt', { salt: '' }),
  ...[1, 4095, 1_000_001, 2 ** 31, 0].map((iterations) => twisted(`asks for ${iterations} iterations`, { iterations })),
  ...['-4096', '4096x', '1e5', '99999999999999999999', '4096,i=1'].map((iterations) =>
    twisted(`asks for ${iterations} iterations`, { iterations }),
  ),
];

/** Messages that are too many, too long or none. */
const endless: readonly HostileLogin[] = [
  { name: 'sends notices without end', script: (caller) => caller.flood(say.notice('x'.repeat(2_000))) },
  { name: 'sends parameters without end', script: (caller) => caller.flood(say.parameter('a', 'b'.repeat(2_000))) },
  ...['N', 'E', 'S', 'R', 'K', 'Z', 'T', 'D', '!'].map((type) => ({
    name: `announces two gigabytes of ${type}`,
    async script(caller: Caller) {
      caller.send(say.announced(type, 2 ** 31 + 5));
      await caller.flood(Buffer.alloc(1_000, 'x'));
    },
  })),
  { name: 'announces less than nothing', script: (caller) => asked(caller, say.announced('N', 3)) },
  { name: 'offers mechanisms without an end', script: (caller) => asked(caller, say.auth(10, 'SCRAM-SHA-256')) },
  { name: 'sends a notice without an end', script: (caller) => asked(caller, say.message('N', 'Mnever')) },
  { name: 'sends a parameter without an end', script: (caller) => asked(caller, say.message('S', 'a\0b')) },
  { name: 'sends an error without an end', script: (caller) => asked(caller, say.message('E', 'SFATAL')) },
  { name: 'sends a key without bytes', script: (caller) => asked(caller, say.message('K')) },
  { name: 'sends a message that nobody knows', script: (caller) => asked(caller, say.message('!', 'x')) },
  { name: 'speaks HTTP', script: (caller) => asked(caller, Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')) },
  ...['T', 'D', 't', 'G', 'A', 'K', 'S', 'E', 'C', 'd'].map((type) =>
    afterwards(`answers a statement with half a message ${type}`, say.message(type, Buffer.from([0, 9, 0]))),
  ),
  ...['C', 'E', 'N', 'S', 'T'].map((type) =>
    afterwards(`answers a statement with a text without an end in ${type}`, say.message(type, 'MMMM')),
  ),
  afterwards('answers a statement with a copy', say.message('G', Buffer.from([0, 0, 0]))),
  afterwards('answers a statement with two gigabytes', say.announced('D', 2 ** 31 + 5)),
  {
    name: 'answers a statement with notices without end',
    knows: true,
    async script(caller, password) {
      await scram(caller, password);
      caller.send(say.auth(0), say.ready());
      await caller.next();
      await caller.flood(say.notice('x'.repeat(60_000)));
    },
  },
];

/** All of them. */
export const hostileLogins: readonly HostileLogin[] = [...requests, ...unproven, ...endless];
