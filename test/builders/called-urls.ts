/** Calls of models and what is asked for then: the same table for our rule and for the clients in the field. */

export interface CalledUrl {
  readonly what: string;
  /** Behind `http://host:port`. */
  readonly url: string;
  readonly functions: Readonly<Record<string, string>>;
  readonly function?: string;
  readonly args?: readonly (readonly [string, string | null])[];
  /** Path and query; undefined where nothing is asked. */
  readonly asked: string | undefined;
}

const apply = { apply: 'apply' };

function args(what: string, given: CalledUrl['args'], query: string): CalledUrl {
  return { what, url: '', functions: apply, ...(given === undefined ? {} : { args: given }), asked: `/apply?${query}` };
}

function path(what: string, url: string, functions: CalledUrl['functions'], asked: string | undefined, name?: string) {
  return { what, url, functions, ...(name === undefined ? {} : { function: name }), asked };
}

export const calledUrls: readonly CalledUrl[] = [
  args('no arguments', undefined, ''),
  args('one argument', [['host', 'yahoo.com']], 'host=yahoo.com'),
  args('an empty value', [['host', '']], 'host='),
  args('no value', [['host', null]], 'host'),
  args('an empty name', [['', 'x']], '=x'),
  args('a space and signs', [['text', 'a b&c=d?e/f#g+h%i']], 'text=a+b%26c%3Dd%3Fe%2Ff%23g%2Bh%25i'),
  args('what stays', [['k', 'AZaz09-_.*']], 'k=AZaz09-_.*'),
  args('what a form encodes and a URL does not', [['k', "!~'()@:$,;"]], 'k=%21%7E%27%28%29%40%3A%24%2C%3B'),
  args('quotes and brackets', [['k', '"<>[]{}|\\^`']], 'k=%22%3C%3E%5B%5D%7B%7D%7C%5C%5E%60'),
  args('controls', [['k', '\0\t\r\n\u007f']], 'k=%00%09%0D%0A%7F'),
  args('umlauts', [['größe', 'ä']], 'gr%C3%B6%C3%9Fe=%C3%A4'),
  args('other scripts', [['модель', '日本']], '%D0%BC%D0%BE%D0%B4%D0%B5%D0%BB%D1%8C=%E6%97%A5%E6%9C%AC'),
  args('beyond 16 bits', [['k', '😀']], 'k=%F0%9F%98%80'),
  args('half a character', [['k', 'a\ud83d!']], 'k=a%3F%21'),
  args('combining characters as they are', [['k', 'a\u0308']], 'k=a%CC%88'),
  args(
    'the order of a HashMap',
    [
      ['host', '1'],
      ['port', '2'],
      ['a', '3'],
      ['b', '4'],
      ['user', '5'],
    ],
    'a=3&b=4&port=2&host=1&user=5',
  ),
  args(
    'names of one hash, last first',
    [
      ['Aa', '1'],
      ['BB', '2'],
    ],
    'BB=2&Aa=1',
  ),
  args(
    'more than twelve',
    [...'qwertyuiopasdfgh'].map((name) => [name, name]),
    [...'`abcdefghijklmnopqrstuvwxyz']
      .filter((name) => 'qwertyuiopasdfgh'.includes(name))
      .map((name) => `${name}=${name}`)
      .join('&'),
  ),
  args(
    'a name twice',
    [
      ['a', 'first'],
      ['a', 'second'],
    ],
    'a=first',
  ),
  path('a base path', '/base', { apply: 'v1/apply' }, '/base/v1/apply?'),
  path('a slash at the end', '/', apply, '/apply?'),
  path('a base path with a slash at the end', '/base/', apply, '/base/apply?'),
  path('two slashes at the end', '/base//', apply, '/base//apply?'),
  path('two slashes at the start', '//base', apply, '/base/apply?'),
  path('a function with a slash before it', '/base', { apply: '/apply' }, '/base/apply?'),
  path('a function with two slashes before it', '/base', { apply: '//apply' }, '/base//apply?'),
  path('a function with a slash behind it', '', { apply: 'apply/' }, '/apply/?'),
  path('an empty function', '/base', { apply: '' }, '/base/?'),
  path('apply before the function that is asked for', '', { apply: 'a', score: 's' }, '/a?', 'score'),
  path('a function of its own', '', { score: 's', other: 'o' }, '/s?', 'score'),
  path('a function that the model does not name', '', { other: 'o' }, '/v2/score?', 'v2/score'),
  path('no function where apply is not named', '', { score: 's' }, '/apply?'),
  path('no functions', '', {}, '/apply?'),
  path('a function called as what objects have', '', {}, '/toString?', 'toString'),
  path('dots', '/a/./b/../c', apply, '/a/./b/../c/apply?'),
  path('dots in the function', '/base', { apply: '../apply' }, '/base/../apply?'),
  path('encoded characters', '', { apply: 'a%20b' }, '/a%20b?'),
  path('other characters', '', { apply: 'größe' }, '/gr%C3%B6%C3%9Fe?'),
  path('combining characters in the function', '', { apply: 'a\u0308' }, '/%C3%A4?'),
  path('a query', '', { apply: 'apply?mode=x' }, '/apply?mode=x?'),
  path('a fragment', '', { apply: 'apply#part' }, '/apply'),
  path('a space in the function', '', { apply: 'a b' }, undefined),
  path('a lone percent sign', '', { apply: '100%' }, undefined),
  path('braces', '', { apply: '{id}' }, undefined),
  path('brackets', '', { apply: 'a[0]' }, undefined),
  path('a backslash', '', { apply: 'a\\b' }, undefined),
  path('brackets in a query', '', { apply: 'a?b[0]=1' }, '/a?b[0]=1?'),
];
