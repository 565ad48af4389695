/** The version of lockkeeper, as in package.json: what judged is named where a verdict is kept. */
export const toolVersion = '0.1.0';
