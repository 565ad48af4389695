/**
 * What a person named, a path or the words of a command line, without what may be a secret in it: the login and the
 * query of an address. A path of which an address was made by mistake (https:/user:password@host) counts too.
 */
export function withoutLogins(text: string): string {
  return text
    .replaceAll(/(?<=:\/{1,2})[^\s/]*@/g, '[withheld]@')
    .replaceAll(/([?&][\w.-]+=)[^\s&'"]+/g, '$1[withheld]');
}
