import { App } from 'aws-cdk-lib';
import { LogAndStateStack } from './aws/log-and-state-stack.ts';
import { readSettings } from './aws/settings.ts';

/**
 * Everything that lockkeeper needs in a cloud, as CDK stacks; cdk.json runs this file. Settings come from the context:
 * `cdk synth -c logRetention=compliance -c logRetentionDays=400`.
 */
const app = new App();
new LogAndStateStack(
  app,
  'LockkeeperLogAndState',
  readSettings((key) => app.node.tryGetContext(key)),
);
app.synth();
