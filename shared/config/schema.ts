import { z } from 'zod';
import { audit } from './audit.ts';
import { cron, name, pathOf, person, type ResolvePath } from './fields.ts';
import { idlePorts } from './idle-ports.ts';
import type { ManualCredential } from './manual.ts';
import { secretStore } from './secret-stores.ts';
import { service } from './services.ts';
import { stores } from './stores.ts';

/**
 * The schema of lockkeeper.yaml. An unknown key is an error; every optional field has a default that its text states.
 */
export function configSchema(resolve: ResolvePath) {
  return z
    .strictObject({
      $schema: z
        .string()
        .optional()
        .describe('Where an editor finds the JSON Schema of this file; lockkeeper ignores it.'),
      version: z.literal(1).describe('The version of this format.'),
      stores: stores(resolve),
      audit: audit(resolve).prefault({}).describe('How the audit log is signed, and who else vouches for it.'),
      secrets: z.record(name, secretStore(resolve)).default({}).describe('Secret stores, by a name of your choice.'),
      networks: z
        .record(name, network(resolve))
        .default({})
        .describe('Networks with their firewall and flow logs, by a name of your choice.'),
      services: z.array(service(resolve)).default([]).describe('The port map.'),
      idlePorts: idlePorts.prefault({}).describe('When a port counts as idle, and how carefully it is closed.'),
      approvals: approvals.optional().describe('Where people are asked. Default: nowhere, so nothing is ever closed.'),
      schedules: schedules.prefault({}).describe('When `lockkeeper serve` does what, as cron patterns in UTC.'),
    })
    .meta({
      title: 'lockkeeper.yaml',
      description: 'What lockkeeper keeps: services, their credentials, and the openings that lead to them.',
    });
}

/** lockkeeper.yaml after every check: paths absolute, durations and times read, defaults filled in. */
export type Config = z.output<ReturnType<typeof configSchema>>;

/** One service of the configuration. */
export type ServiceConfig = Config['services'][number];

/** What clients show a service, and how it is changed. */
export type CredentialConfig = Exclude<NonNullable<ServiceConfig['credential']>, ManualCredential>;

/** The credential of a service that lockkeeper rotates; undefined where there is none, or people renew it. */
export function rotatedCredential({ credential }: ServiceConfig): CredentialConfig | undefined {
  return credential === undefined || credential.engine === 'manual' ? undefined : credential;
}

/** One network with its firewall and its flow logs. */
export type NetworkConfig = Config['networks'][string];

function network(resolve: ResolvePath) {
  return z.strictObject({
    cloud: z.enum(['aws', 'gcp', 'azure', 'kubernetes', 'local']).describe('Whose rules it follows.'),
    firewall: z
      .discriminatedUnion('kind', [
        z.strictObject({
          kind: z.literal('local-gate').describe('The gate that comes with lockkeeper.'),
          url: z
            .string()
            .regex(/^http:\/\/(127\.0\.0\.1|localhost):[1-9]\d{0,4}\/?$/, { error: 'is not http://127.0.0.1:PORT' })
            .describe('Its admin address, on this machine: http://127.0.0.1:PORT.'),
          tokenFile: pathOf(resolve).describe('The token of its admin address, readable by its owner only.'),
          run: z.boolean().default(false).describe('Whether `lockkeeper serve` runs this gate itself.'),
          rulesFile: pathOf(resolve)
            .optional()
            .describe('Where a gate that lockkeeper runs keeps its openings. Default: rules.json beside the token.'),
        }),
      ])
      .optional()
      .describe('Where its openings are. Default: nowhere, so nothing is judged or closed.'),
    flowLogs: z
      .array(
        z.strictObject({
          name: name.describe('A name of your choice; facts are kept under it, so never reuse it for another log.'),
          format: z.enum(['aws-vpc', 'gcp-vpc', 'azure-vnet']).describe('How the objects are written and named.'),
          directory: pathOf(resolve).describe('Where the objects are, laid out as the cloud does.'),
        }),
      )
      .default([])
      .describe('Where its traffic is logged.'),
  });
}

const approvals = z.strictObject({
  kind: z.literal('local-page').describe('A page of this machine.'),
  port: z.int().min(0).max(65_535).default(0).describe('Its port on 127.0.0.1; 0 takes a free one.'),
  needed: z.int().min(1).default(1).describe('How many different people must agree.'),
  approvers: z.array(person).min(1).describe('Who may decide.'),
});

const schedules = z.strictObject({
  rotate: cron.default('0 * * * *').describe('Rotate what is due, and go on with what waits.'),
  collect: cron.default('10 * * * *').describe('Read new flow logs.'),
  scan: cron.default('30 6 * * *').describe('Judge the openings and ask.'),
  close: cron.default('*/10 * * * *').describe('Close what was approved, and watch what is closed.'),
  seal: cron.default('* * * * *').describe('Put acknowledged entries into the tree of the audit log, and sign it.'),
  head: cron.default('0 7 * * *').describe('Post the head of the audit log where people are asked.'),
});
