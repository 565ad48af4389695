const blobs = 'Microsoft.Storage/storageAccounts/blobServices/containers/blobs';

/**
 * Data actions of the driver on its container, by what a store is for. `log` is create-only: whoever has no more can
 * neither replace nor delete. Listing, previous versions and soft-deleted blobs included, is part of read.
 */
export const permissions = {
  log: [`${blobs}/read`, `${blobs}/add/action`],
  state: [`${blobs}/read`, `${blobs}/write`, `${blobs}/delete`],
} as const;
