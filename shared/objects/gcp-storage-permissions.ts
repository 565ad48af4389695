/**
 * IAM permissions of the driver, by what a store is for. `log` is create-only: whoever has no more can neither replace
 * nor delete. `state` adds what a replace and a delete need; Google asks for both of a replace. `history` is in `log`
 * already: earlier and soft-deleted generations are listed with storage.objects.list.
 */
export const permissions = {
  log: ['storage.objects.create', 'storage.objects.get', 'storage.objects.list'],
  state: ['storage.objects.create', 'storage.objects.delete', 'storage.objects.get', 'storage.objects.list'],
} as const;
