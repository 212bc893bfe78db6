/** Names of images, by the grammar that container runtimes share. */

const domainPart = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?';
const host = `(?:${domainPart}(?:\\.${domainPart})*|\\[[0-9a-fA-F:]+\\])(?::[0-9]+)?`;
const pathPart = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const reference = new RegExp(
  `^(?:${host}/)?${pathPart}(?:/${pathPart})*(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?$`,
);

/** What is wrong with it, as the end of a sentence that begins with the name; undefined where nothing is. */
export function imageProblem(image: string): string | undefined {
  if (/\s/.test(image)) return 'has a space in it';
  if (/^[a-z]+:\/\//i.test(image)) return 'has a scheme, which names of images have not';
  if (reference.test(image)) return undefined;
  return reference.test(image.toLowerCase())
    ? 'has capital letters before its tag, which names of images have not'
    : 'is no name of an image, such as registry.example/team/model:1.0';
}
