import type { FlowFormat } from '../../../shared/flow-logs/rows.ts';
import { awsLine, awsValues, goodRows, headers, wrapped } from './good.ts';
import type { Choice } from './seeded.ts';

/** The text of a hostile object; `good`: so many of its rows are good all the same, where that is known. */
export interface BadText {
  readonly text: string | Buffer;
  readonly good?: number;
}

/** Ways to be hostile in what is written, by format. */
export const badTexts: Readonly<Record<FlowFormat, readonly ((choice: Choice) => BadText)[]>> = {
  aws: [
    (choice) => rowsWith(choice, { start: choice.of(badTimes), end: choice.of(badTimes) }),
    (choice) => rowsWith(choice, { end: choice.of(badTimes) }),
    (choice) => rowsWith(choice, { [choice.of(['packets', 'bytes'])]: choice.of(badCounts) }),
    (choice) => rowsWith(choice, { [choice.of(['srcport', 'dstport', 'protocol'])]: choice.of(badPorts) }),
    (choice) => rowsWith(choice, { [choice.of(['srcaddr', 'dstaddr'])]: choice.of(badAddresses) }),
    (choice) => rowsWith(choice, { [choice.of(['action', 'log-status'])]: choice.of(badWords) }),
    (choice) => rowsWith(choice, { 'interface-id': choice.of(badNames) }),
    (choice) => lines(choice, 'x'.repeat(choice.rarely(300_000))),
    (choice) => lines(choice, 'y '.repeat(choice.rarely(60_000))),
    (choice) =>
      lines(choice, choice.of(['', ' ', '\0\0\0', "'; DROP TABLE groups; --", '"', '\u001b[2J', '\\', '\ufeff'])),
    (choice) => ({ text: `${headers[0]} ${headers[0]}\n${String(lines(choice, '').text)}` }),
    (choice) => ({ text: `${manyColumns(choice.rarely(3_000))}\n1 2 3\n` }),
    (choice) => ({ text: `srcaddr"'); DROP TABLE own; -- dstaddr\n${choice.of(badWords)}\n` }),
    (choice) => ({ text: `version srcaddr dstport'||x\n${'- '.repeat(choice.below(9))}` }),
    () => ({ text: '2 1 eni-1 10.0.0.1 10.0.0.2 1 2 6 1 60 1 2 ACCEPT OK\n' }),
    () => ({ text: `${headers[0]}\n`, good: 0 }),
    () => ({ text: '', good: 0 }),
    (choice) => ({ text: mixedEnds(choice) }),
    (choice) => ({ text: JSON.stringify({ logEvents: badEvents(choice) }) }),
    ...anyJson('logEvents'),
  ],
  gcp: [
    (choice) => changed('gcp', choice, [/2026-09-01T[\d:]+Z/, `${choice.of(badYears)}T00:00:00Z`]),
    (choice) => changed('gcp', choice, [/"packets_sent":"4"/, `"packets_sent":${choice.of(badJson)}`]),
    (choice) => changed('gcp', choice, [/"src_port":40000/, `"src_port":${choice.of(badJson)}`]),
    (choice) => changed('gcp', choice, [/"reporter":"DEST"/, `"disposition":${choice.of(badJson)}`]),
    (choice) => changed('gcp', choice, [/"connection"/, `"__proto__":{"connection":1},"constructor"`]),
    (choice) => changed('gcp', choice, [/"vm_name":"vm"/, `"vm_name":${JSON.stringify(choice.of(badNames))}`]),
    ...anyJson('jsonPayload'),
  ],
  azure: [
    (choice) => changed('azure', choice, [/"\d{13},/, `"${choice.of(badTimes)},`]),
    (choice) => changed('azure', choice, [/,4,900,/, `,${choice.of(badCounts)},900,`]),
    (choice) => changed('azure', choice, [/,I,E,/, `,I,${choice.of(badWords)},`]),
    (choice) => changed('azure', choice, [/,443,6,/, `,${choice.of(badPorts)},6,`]),
    (choice) =>
      changed('azure', choice, [/"macAddress":"[^"]*"/, `"macAddress":${JSON.stringify(choice.of(badNames))}`]),
    (choice) => changed('azure', choice, [/"flows"/, `"__proto__":{"flows":[]},"constructor"`]),
    ...anyJson('records'),
  ],
};

const badTimes = [
  '0',
  '1',
  '-1',
  '4102444801',
  '4294967295',
  '4294967296',
  '253402300799',
  '9'.repeat(19),
  '9'.repeat(400),
  '1e9',
  '-',
];
const badCounts = [
  '-5',
  '1000000000000001',
  '9223372036854775807',
  '18446744073709551616',
  '1e300',
  'NaN',
  '0x10',
  '9'.repeat(300),
];
const badPorts = ['-1', '65536', '99999999999', '1.5', '٣', '443\u0000'];
const badAddresses = [
  '999.1.1.1',
  '::1%eth0',
  ':'.repeat(40),
  '1'.repeat(5_000),
  '10.0.0.1/8',
  'localhost',
  '\u202e10.0.0.1',
];
const badWords = [
  'constructor',
  '__proto__',
  'toString',
  'ACCEPT;',
  "OK' OR '1'='1",
  'hasOwnProperty',
  'D'.repeat(2_000),
];
const badNames = ['\u001b[31m', '\u0000', 'n'.repeat(300), 'n'.repeat(70_000), '\u0085', '\ufffd'];
const badYears = [
  '0000-01-01',
  '1969-12-31',
  '1970-01-01',
  '9999-12-31',
  '2026-02-31',
  '2026-13-01',
  '2099-01-01',
  '+12026-01-01',
];
const badJson = [
  '-5',
  '1e300',
  '1e999',
  '"9223372036854775808"',
  '{}',
  '[[]]',
  '"x"',
  'null',
  '[[[[[[[[[[{}]]]]]]]]]]',
  '{"__proto__":1}',
  'true',
];

/** Good rows with one of them changed. What is not a good row any more is told by nobody. */
function rowsWith(choice: Choice, change: Readonly<Record<string, string>>): BadText {
  const header = choice.of(headers);
  const good = Array.from({ length: choice.below(4) }, () => awsLine(header, awsValues(choice, 'bad')));
  const bad = awsLine(header, { ...awsValues(choice, 'bad'), ...change });
  return { text: [header, ...good, bad, ''].join('\n') };
}

/** Good rows around a line that is none. */
function lines(choice: Choice, bad: string): BadText {
  const header = headers[0];
  const good = Array.from({ length: 1 + choice.below(4) }, () => awsLine(header, awsValues(choice, 'bad')));
  return { text: [header, ...good, bad, ...good, ''].join('\n'), good: good.length * 2 };
}

function mixedEnds(choice: Choice): string {
  const header = headers[0];
  const rows = Array.from({ length: 6 }, () => awsLine(header, awsValues(choice, 'bad')));
  return [header, ...rows].map((line) => `${line}${choice.of(['\n', '\r\n', '\r', '\n\n'])}`).join('');
}

function manyColumns(count: number): string {
  return `srcaddr ${Array.from({ length: count }, (_, index) => `c${index}`).join(' ')}`;
}

function badEvents(choice: Choice): unknown[] {
  const message = awsLine(headers[0], awsValues(choice, 'bad'));
  return [null, 7, {}, { message: null }, { message: { message } }, { message: 'm'.repeat(choice.rarely(100_000)) }];
}

function changed(format: FlowFormat, choice: Choice, [find, replace]: readonly [RegExp, string]): BadText {
  const text = wrapped(format, goodRows(format, choice, 'bad'), choice);
  return { text: text.replace(find, () => replace) };
}

/** JSON that is hostile to whoever parses it, around a member that the format has. */
function anyJson(member: string): readonly ((choice: Choice) => BadText)[] {
  const deep = (choice: Choice) => 1 + choice.rarely(100_000);
  return [
    (choice) => ({ text: '['.repeat(deep(choice)) }),
    (choice) => ({ text: nested(deep(choice), '[', ']', '') }),
    (choice) => ({ text: nested(deep(choice), `{"${member}":`, '}', '1') }),
    (choice) => ({ text: `{"${member}":[${'{},'.repeat(choice.rarely(20_000))}{}]}` }),
    (choice) => ({ text: '{}\n'.repeat(choice.rarely(5_000)) }),
    (choice) => ({ text: `{"${member}":[1e999,-0,${'9'.repeat(choice.rarely(5_000))}],"${member}":{}}` }),
    (choice) => ({
      text: `{"__proto__":{"${member}":[{"flows":[]}]},"constructor":{"prototype":{"polluted":${choice.below(9)}}}}`,
    }),
    (choice) => ({ text: `{"${member}":"${'s'.repeat(choice.rarely(400_000))}` }),
    (choice) => ({ text: `{"${member}":[{"a":"\\ud800${'\\"'.repeat(choice.rarely(5_000))}"}]}` }),
    (choice) => ({ text: `{\n${'\n'.repeat(choice.rarely(20_000))}` }),
    (choice) => ({ text: choice.of(['null', '7', '"text"', '{', '}', ']', 'NaN', '{"a"}', "{'a':1}", '\ufeff{}']) }),
    (choice) => ({ text: Buffer.from(nested(choice.below(50), '[', ']', '{}'), 'utf16le') }),
  ];
}

function nested(depth: number, open: string, close: string, inside: string): string {
  return `${open.repeat(depth)}${inside}${close.repeat(depth)}`;
}
