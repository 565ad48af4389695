/** Every verb, in the order in which a newcomer meets them. */
export const verbs: readonly (readonly [name: string, about: string])[] = [
  ['demo', 'see the whole of it on this machine, with real sockets and a real database'],
  ['serve', 'do everything at its time, with a page for those who approve'],
  ['rotate', 'change credentials so that nobody is ever locked out'],
  ['drift', 'find where stores, services and what lockkeeper did no longer agree'],
  ['secret', 'the logins that consumers read: import one, get it, run a command with it, list them'],
  ['collect', 'read new flow logs, each once'],
  ['scan', 'find the openings that nobody uses, and ask about them'],
  ['approve', 'agree to close an opening'],
  ['deny', 'keep an opening: for good, for a while, or until a date'],
  ['reopen', 'put a closed opening back exactly as it was'],
  ['review', 'emergency rotations that two people must sign: list them, sign one'],
  ['audit', 'the log of everything that was done: verify it, show it, export it, prove one entry'],
  ['flows', 'print flow-log files of any cloud as JSON lines'],
  ['config', 'the configuration: check it, or print its schema'],
];

/** The options that every verb takes. */
export const globalOptions = {
  config: [
    '--config <file>',
    'the configuration (default: LOCKKEEPER_CONFIG, else the nearest lockkeeper.yaml upward)',
  ],
  output: ['--output <format>', 'what stdout is for: text (default) or json'],
  color: ['--no-color', 'no colours; NO_COLOR does the same'],
  help: ['-h, --help', 'this text; after a verb, what it takes'],
} as const;

/** What lockkeeper is for, in one sentence. */
export const purpose =
  'Rotates the credentials of internal services without one failed login, and closes the ports nobody uses.';

/** What `lockkeeper --help` prints. It needs no parser, so it is there at once. */
export function helpText(): string {
  return `Usage: lockkeeper [options] <verb>

${purpose}

Verbs:
${columns(verbs)}

Options:
${columns(Object.values(globalOptions))}

Examples:
  lockkeeper demo                                   see the whole of it on this machine, without any cloud
  lockkeeper config check                           list every mistake of lockkeeper.yaml at once
  lockkeeper rotate orders-db --rehearse            say what a rotation would do; change nothing
  lockkeeper secret exec orders-db -- psql          run a command with the login in its environment
  lockkeeper scan --snapshot DIR --output json      judge an AWS account from files, without credentials
  lockkeeper audit verify                           prove that nobody changed the log

Exit codes: 0 done, 1 failed, 2 changes are waiting (with --detailed-exitcode), 3 denied, 4 expired, 5 drifted, 6 frozen,
130 interrupted.
`;
}

function columns(rows: readonly (readonly [left: string, right: string])[]): string {
  return rows.map(([left, right]) => `  ${left.padEnd(18)} ${right}`).join('\n');
}
