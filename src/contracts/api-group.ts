/** Of the resource, and the beginning of every label and annotation of ours. */
export const group = 'maas.dev';
