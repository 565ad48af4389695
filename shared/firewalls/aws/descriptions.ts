/** One answer of the EC2 API, with the name of the file or call it came from, for errors. */
export interface Description {
  readonly name: string;
  readonly document: unknown;
}

/** What EC2 tells about security groups, in the shapes in which the AWS CLI prints it. */
export interface AwsDescriptions {
  /** describe-security-group-rules: {SecurityGroupRules}. The truth about rules. */
  readonly rules: Description;
  /** describe-security-groups: {SecurityGroups}. Which groups can be listed here, and their tags. */
  readonly groups: Description;
  /** describe-network-interfaces: {NetworkInterfaces}. */
  readonly interfaces: Description;
  /** describe-managed-prefix-lists: {PrefixLists}; only for the names that people gave their lists. */
  readonly prefixLists: Description | undefined;
  /** get-managed-prefix-list-entries: {Entries}, by prefix list id. A list that is not here has unknown entries. */
  readonly prefixListEntries: ReadonlyMap<string, Description>;
}
