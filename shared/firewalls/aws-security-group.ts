import { LockkeeperError } from '../base/error.ts';
import type { AwsDescriptions } from './aws/descriptions.ts';
import { securityGroupState } from './aws/state.ts';
import type { Firewall } from './contract.ts';

/** Where a security-group firewall gets its descriptions: the EC2 API, or files that the AWS CLI printed. */
export interface SecurityGroupsOptions {
  /** Shown in errors: account and region, or the directory. */
  readonly name: string;
  /** Everything that EC2 tells, read anew. Its errors are passed on. */
  readonly describe: () => Promise<AwsDescriptions>;
}

/**
 * The security groups of one AWS account and region. A packet comes in if any rule of any group on its interface lets
 * it (`union`). Only reads: prepare, apply and restore are `unsupported`.
 */
export function awsSecurityGroups({ name, describe }: SecurityGroupsOptions): Firewall {
  const refuse = async (verb: string): Promise<never> => {
    throw new LockkeeperError(
      'unsupported',
      `cannot ${verb} a security group rule of ${name}: lockkeeper only reads security groups so far`,
      {
        hint: 'Change the rule with the tool that owns it.',
      },
    );
  };
  return {
    openings: async () => securityGroupState(await describe()),
    prepare: () => refuse('close'),
    apply: () => refuse('close'),
    restore: () => refuse('reopen'),
  };
}
