import type { Item } from './fields.ts';

/** Tags by key. */
export function tagsOf(item: Item): ReadonlyMap<string, string> {
  return new Map(item.items('Tags').map((tag) => [tag.need('Key'), tag.text('Value') ?? '']));
}

/** The tool whose marks are among the tags; undefined where there are none. */
export function ownerOf(tags: ReadonlyMap<string, string>): string | undefined {
  const stack = tags.get('aws:cloudformation:stack-name');
  if (stack !== undefined) return `CloudFormation stack ${stack}`;
  const cluster = clusterOf(tags);
  if (cluster !== undefined) return `Kubernetes cluster ${cluster}`;
  const named = [...tags].find(([key, value]) => value !== '' && /^(managed|provisioned)[-_ ]?by$/i.test(key))?.[1];
  const isTerraform = [...tags].some(([key, value]) => /^terraform$/i.test(key) && !/^(false|no|0)$/i.test(value));
  return named ?? (isTerraform ? 'Terraform' : undefined);
}

function clusterOf(tags: ReadonlyMap<string, string>): string | undefined {
  const mark = 'kubernetes.io/cluster/';
  return tags.get('elbv2.k8s.aws/cluster') ?? [...tags.keys()].find((key) => key.startsWith(mark))?.slice(mark.length);
}
