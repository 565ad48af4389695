/** Where something runs. `local` is one machine without a cloud. */
export type Cloud = 'aws' | 'gcp' | 'azure' | 'kubernetes' | 'local';
