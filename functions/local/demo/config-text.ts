import { networkNames, type Alive } from './alive.ts';
import { roles } from './database.ts';
import { miniature, people, type MiniatureService } from './miniature.ts';

/** Where the demo keeps the password of lockkeeper's own role, beside the configuration. */
export const adminPasswordFile = 'lockkeeper-role';

/** How long a consumer may go on with an old password. */
export const propagationMs = 400;

/**
 * The demo's lockkeeper.yaml: what a person would have written for this miniature. Its paths are relative to itself.
 */
export function configText(alive: Alive): string {
  return `# The demo's miniature multi-cloud. Later commands work with it: lockkeeper --config THIS audit verify
version: 1
stores:
  state: { kind: file-system, path: state }
  log: { kind: file-system, path: log }
secrets:
  vault: { kind: local-file, path: secrets, keyFile: secrets.key }
networks:
${networkNames.map((name) => networkText(name, alive)).join('\n')}
services:
${miniature.map((service) => serviceText(service, alive)).join('\n')}
idlePorts:
  window: 30d
  quarantine: 7d
  scanners: [127.0.66.0/24]
approvals:
  kind: local-page
  needed: 1
  approvers: [${people.approvers.join(', ')}]
`;
}

function networkText(name: (typeof networkNames)[number], alive: Alive): string {
  const format = { aws: 'aws-vpc', gcp: 'gcp-vpc', azure: 'azure-vnet' }[name];
  return `  ${name}:
    cloud: ${name}
    firewall: { kind: local-gate, url: "${alive.gates[name].url}", tokenFile: gates/${name}/token, run: true }
    flowLogs: [{ name: ${name}-flows, format: ${format}, directory: flow-logs/${name} }]`;
}

function serviceText({ name, network, owner, consumers }: MiniatureService, alive: Alive): string {
  const head = `  - name: ${name}
    owner: ${owner}
    network: ${network}
    port: ${alive.portOf(name)}
    forwardTo: 127.0.0.1:${alive.upstreamOf(name)}
    consumers: [${consumers.join(', ')}]`;
  return `${head}${credentialText(name, alive)}`;
}

function credentialText(name: string, alive: Alive): string {
  if (name !== 'orders-db' && name !== 'reports-db') return '';
  const users =
    name === 'orders-db'
      ? `strategy: alternating
      users: [${roles.pair.join(', ')}]
      ownerRole: ${roles.owner}`
      : `strategy: single
      acceptDowntime: true
      users: [${roles.single}]`;
  return `
    credential:
      engine: postgres
      ${users}
      endpoints: ["127.0.0.1:${alive.portOf(name)}"]
      tls: off
      admin: { user: ${roles.admin}, password: { file: ${adminPasswordFile} } }
      secrets: [{ store: vault, name: ${name} }]
      propagation: ${propagationMs}ms`;
}
