import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { root } from '../house/sources.ts';

/** The judges by name; each has a file `<name>.judge.ts`. */
export type JudgeName =
  'azurite' | 'fake-gcs-server' | 'fsck' | 'litewitness' | 'moto' | 'ocsf' | 'versitygw' | 'x-mod';

/** A server or verifier that this project did not write, pinned to one version. */
export interface Judge {
  readonly version: string;
  /** What it judges, in a few words. */
  readonly about: string;
  /** The program, from the judge's own directory. It is the server itself: the id of its process is the one to stop. */
  readonly program: string;
  /** Commands that fill the judge's own directory, in turn. */
  readonly steps: (directory: string) => readonly Step[];
}

/** One command of an installation. */
export interface Step {
  readonly command: string;
  readonly words: readonly string[];
  readonly workDirectory?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** The sources of the driver around golang.org/x/mod. */
export const xModDirectory = join(root, 'test', 'judges', 'x-mod');

/** Every judge. */
export const judges: Readonly<Record<JudgeName, Judge>> = {
  azurite: {
    version: '3.37.0',
    about: 'objects in Azure Blob Storage',
    program: 'node_modules/.bin/azurite-blob',
    steps: (directory) => [
      {
        command: 'npm',
        words: ['install', '--prefix', directory, '--no-audit', '--no-fund', '--ignore-scripts', 'azurite@3.37.0'],
        workDirectory: directory,
      },
    ],
  },
  'fake-gcs-server': goJudge('objects in Cloud Storage', 'github.com/fsouza/fake-gcs-server', '1.56.1'),
  fsck: goJudge("the whole audit log: Tessera's own check", 'github.com/transparency-dev/tessera/cmd/fsck', '1.0.4'),
  litewitness: goJudge(
    'checkpoints and consistency proofs: a witness that cosigns',
    'filippo.io/torchwood/cmd/litewitness',
    '0.9.0',
  ),
  moto: {
    version: '5.2.5',
    about: 'objects in S3',
    program: 'bin/moto_server',
    steps: (directory) =>
      pythonSteps(directory, ['moto[s3,ec2,secretsmanager,athena,logs]==5.2.5', 'flask==3.1.3', 'flask-cors==6.0.5']),
  },
  ocsf: {
    version: '1.2.0',
    about: "the audit log's entries: the OCSF schema",
    program: 'bin/python',
    steps: (directory) => pythonSteps(directory, ['ocsf-json-schema==1.2.0', 'jsonschema==4.26.0']),
  },
  versitygw: goJudge('objects in S3', 'github.com/versity/versitygw/cmd/versitygw', '1.8.0'),
  'x-mod': {
    version: sourceVersion(['main.go', 'go.mod', 'go.sum']),
    about: 'the whole audit log and its proofs: golang.org/x/mod',
    program: 'x-mod',
    steps: (directory) => [
      goStep(['build', '-buildvcs=false', '-o', join(directory, 'x-mod'), '.'], { workDirectory: xModDirectory }),
    ],
  },
};

/** Packages in a Python environment of their own. */
function pythonSteps(directory: string, packages: readonly string[]): readonly Step[] {
  return [
    { command: 'python3', words: ['-m', 'venv', directory] },
    { command: join(directory, 'bin', 'pip'), words: ['install', '--quiet', ...packages] },
  ];
}

/** A Go program as it is published; the last element of its path is its name. */
function goJudge(about: string, path: string, version: string): Judge {
  const program = path.split('/').at(-1) ?? path;
  return {
    version,
    about,
    program,
    steps: (directory) => [
      goStep(['install', `${path}@v${version}`], { workDirectory: directory, environment: { GOBIN: directory } }),
    ],
  };
}

/** Go must be the one that is there, and leave no cache that a plain delete cannot remove. */
function goStep([verb = '', ...words]: readonly string[], at: Pick<Step, 'workDirectory' | 'environment'>): Step {
  return {
    command: 'go',
    words: [verb, '-modcacherw', ...words],
    ...at,
    environment: { GOTOOLCHAIN: 'local', ...at.environment },
  };
}

/** The driver is built again where its sources changed. */
function sourceVersion(files: readonly string[]): string {
  const hash = createHash('sha256');
  for (const file of files) hash.update(readFileSync(join(xModDirectory, file))).update(delimiter);
  return hash.digest('hex').slice(0, 12);
}
