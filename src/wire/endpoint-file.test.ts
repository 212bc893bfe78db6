import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MaasError } from '../contracts/errors.ts';
import { advertisedUrl, type EndpointFile, maxEndpointFileBytes, parseEndpointFile, portOf } from './endpoint-file.ts';
import { diagnose, encodeRegistration } from './service-instance.ts';

const plain: EndpointFile = {
  scheme: 'http',
  port: 1500,
  path: '',
  functions: { apply: 'apply' },
  otherHost: undefined,
};

function refusal(content: string | Uint8Array): MaasError {
  try {
    parseEndpointFile(content);
  } catch (error) {
    if (error instanceof MaasError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

test.each<[string, Partial<EndpointFile>]>([
  ['{"url": "http://0.0.0.0:1500", "functions": {"apply": "echo"}}', { functions: { apply: 'echo' } }],
  ['{"url": "http://localhost:1500"}', {}],
  ['{"url": "http://LOCALHOST:1500"}', {}],
  ['{"url": "http://127.0.0.1:1500"}', {}],
  ['{"url": "http://[::]:1500"}', {}],
  ['{"url": "http://[::1]:1500"}', {}],
  ['{"url": "http://[0:0:0:0:0:0:0:1]:1500"}', {}],
  ['{"url": "http://[::ffff:127.0.0.1]:1500"}', {}],
  ['{"url": "http://ip6-localhost:1500"}', {}],
  ['{"url": "http://[fe80::1%25eth0]:1500"}', { otherHost: '[fe80::1%25eth0]' }],
  ['{"url": "http://node7.example:1500"}', { otherHost: 'node7.example' }],
  ['{"url": "http://[fd00::17]:1500"}', { otherHost: '[fd00::17]' }],
  ['\ufeff\r\n{ "url"\n:\t"http://0.0.0.0:1500"\n,\n"functions" :\n{\n"apply" : "apply" } }\n\n', {}],
  ['{"url": " http://0.0.0.0:1500 \\n"}', {}],
  ['{"url": "HTTPS://0.0.0.0:8443/base/v1/"}', { scheme: 'https', port: 8443, path: '/base/v1/' }],
  ['{"url": "http://0.0.0.0/"}', { port: undefined, path: '/' }],
  ['{"url": "http://0.0.0.0:1500", "functions": null}', {}],
  ['{"url": "http://0.0.0.0:1500", "functions": {}}', { functions: {} }],
  ['{"url": "http://0.0.0.0:1500", "pid": 17, "started": {"by": ["me"]}}', {}],
  ['{"url": "http://0.0.0.0:1500"} {"url": "http://0.0.0.0:1600"}', {}],
  ['{"url": "http://0.0.0.0:1600", "url": "http://0.0.0.0:1500"}', {}],
])('%j is read', (content, expected) => {
  expect(parseEndpointFile(content)).toEqual({ ...plain, ...expected });
});

test.each([
  ['', 'endpoint.dat is not JSON: it is empty at byte 0 (maybe incomplete'],
  ['\n', 'endpoint.dat is not JSON: it is empty at byte 1 (maybe incomplete'],
  ['{"url": "http://0.0.0.0:15', 'endpoint.dat is not JSON: it ends too early at byte 26 (maybe incomplete'],
  ['{"url": "http://0.0.0.0:1500"', 'endpoint.dat is not JSON: it ends too early at byte 29 (maybe incomplete'],
])('%j may be incomplete', (content, message) => {
  expect(refusal(content)).toMatchObject({ code: 'ENDPOINT_NOT_JSON', message: expect.stringContaining(message) });
});

test.each([
  ["{'url': 'http://0.0.0.0:1500'}", 'endpoint.dat is not JSON: a name in double quotes is missing at byte 1'],
  ['http://0.0.0.0:1500', 'endpoint.dat is not JSON: a value is missing at byte 0'],
  ['null', 'endpoint.dat holds JSON that is not an object but: null'],
  ['["http://0.0.0.0:1500"]', 'endpoint.dat holds JSON that is not an object but: array'],
  ['{"url": "http://h:1", "functions": ["apply"]}', 'endpoint.dat cannot be used: "functions" is not an object'],
  ['{"url": "http://h:1", "functions": {"a": {}}}', 'endpoint.dat cannot be used: the function "a" is not a text'],
  ['{"url": "http://h:1", "functions": {"a": 1}}', 'endpoint.dat cannot be used: the function "a" is not a text'],
  ['{"url": "http://h:1", "functions": {"a": null}}', 'endpoint.dat cannot be used: the function "a" is not a text'],
  [
    '{"url": "http://h:1", "functions": {"a": "\\ud800"}}',
    'endpoint.dat cannot be used: the function "a" is not well-formed Unicode',
  ],
  [
    JSON.stringify({ url: 'http://h:1', functions: { a: 'x'.repeat(1_025) } }),
    'endpoint.dat cannot be used: the function "a" is longer than 1024 characters',
  ],
  [
    JSON.stringify({ url: 'http://h:1', functions: Object.fromEntries([...Array(257).keys()].map((i) => [i, 'x'])) }),
    'endpoint.dat cannot be used: it names more than 256 functions',
  ],
])('%.60j is refused', (content, message) => {
  expect(refusal(content)).toMatchObject({ code: 'ENDPOINT_NOT_JSON', message });
});

test.each([
  ['{}', 'names no url'],
  ['{"url": null}', 'names no url'],
  ['{"url": 1500}', 'has a url that is not a text'],
  ['{"url": ""}', 'has the url "", which is empty'],
  ['{"url": "0.0.0.0:1500"}', 'has the url "0.0.0.0:1500", which is neither http nor https'],
  ['{"url": "ftp://0.0.0.0:1500"}', 'has the url "ftp://0.0.0.0:1500", which is neither http nor https'],
  ['{"url": "http://:1500"}', 'has the url "http://:1500", which names no host'],
  ['{"url": "http:///apply"}', 'has the url "http:///apply", which names no host'],
  ['{"url": "http://:::1500"}', 'has the url "http://:::1500", whose IPv6 address needs brackets'],
  ['{"url": "http://fd00::5:1500/m"}', 'has the url "http://fd00::5:1500/m", whose IPv6 address needs brackets'],
  ['{"url": "http://0.0.0.0:"}', 'has the url "http://0.0.0.0:", whose port is not a number'],
  ['{"url": "http://0.0.0.0:$PORT"}', 'has the url "http://0.0.0.0:$PORT", whose port is not a number'],
  ['{"url": "http://0.0.0.0:0"}', 'has the url "http://0.0.0.0:0", whose port is not between 1 and 65535'],
  ['{"url": "http://0.0.0.0:65536"}', 'has the url "http://0.0.0.0:65536", whose port is not between 1 and 65535'],
  ['{"url": "http://0.0.0.0:1500?a=b"}', 'which has a query or a fragment: clients append the function to it'],
  ['{"url": "http://0.0.0.0:1500/#top"}', 'which has a query or a fragment: clients append the function to it'],
  ['{"url": "http://me:secret@0.0.0.0:1500"}', 'which holds a user or password'],
  ['{"url": "http://0.0.0.0:1500/a b"}', 'which holds characters that a URL cannot have'],
  ['{"url": "http://0.0.0.0:1500/\\u001b[2J"}', 'which holds characters that a URL cannot have'],
  [`{"url": "http://0.0.0.0:1500/${'x'.repeat(2_000)}"}`, 'whose path is longer than 1024 characters'],
])('%.60s is refused', (content, message) => {
  expect(refusal(content)).toMatchObject({
    code: 'ENDPOINT_URL_INVALID',
    message: expect.stringContaining(message),
  });
});

test('too large a file is refused unread', () => {
  expect(refusal(' '.repeat(maxEndpointFileBytes + 1)).code).toBe('ENDPOINT_UNSAFE');
});

test('no control character of the file gets into a message', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (noise) => {
      for (const content of [
        noise,
        JSON.stringify({ url: noise }),
        JSON.stringify({ url: 'http://h:1', functions: { [noise]: 1 } }),
      ]) {
        expect(refusal(content).message).not.toMatch(/[\p{Cc}\p{Cf}]/u);
      }
    }),
  );
});

test.each([
  [{ scheme: 'http', port: 1500, path: '' } as const, '10.244.0.17', 'http://10.244.0.17:1500'],
  [{ scheme: 'http', port: undefined, path: '/base/' } as const, 'node7.example', 'http://node7.example/base/'],
  [{ scheme: 'https', port: 443, path: '' } as const, 'fd00::17', 'https://[fd00::17]:443'],
  [{ scheme: 'http', port: 80, path: '/' } as const, '[fd00::17]', 'http://[fd00::17]:80/'],
])('%o is advertised at %s', (endpoint, host, url) => {
  expect(advertisedUrl(endpoint, host)).toBe(url);
});

test('the port listened on is the one named or that of the scheme', () => {
  expect(portOf({ scheme: 'http', port: 1500 })).toBe(1500);
  expect(portOf({ scheme: 'http', port: undefined })).toBe(80);
  expect(portOf({ scheme: 'https', port: undefined })).toBe(443);
});

const text = fc.string({ unit: 'binary', maxLength: 12 });
const url = fc
  .tuple(
    fc.constantFrom('http', 'https'),
    fc.constantFrom('localhost', '0.0.0.0', '[::]', 'node7.example'),
    fc.option(fc.integer({ min: 1, max: 65_535 }), { nil: undefined }),
    fc.stringMatching(/^(\/[!$-;=@-Z_a-z~]{0,20})?$/),
  )
  .map(([scheme, host, port, path]) => `${scheme}://${host}${port === undefined ? '' : `:${port}`}${path}`);

test('whatever is accepted makes a registration that clients can read, and read as it was meant', () => {
  const file = fc.record(
    {
      url: fc.oneof({ weight: 5, arbitrary: url }, text),
      functions: fc.oneof(
        { weight: 5, arbitrary: fc.dictionary(text, text) },
        fc.dictionary(text, fc.jsonValue()),
        fc.jsonValue(),
      ),
      extra: fc.jsonValue(),
    },
    { requiredKeys: [] },
  );
  let accepted = 0;
  fc.assert(
    fc.property(file, text, (value, version) => {
      let endpoint: EndpointFile;
      try {
        endpoint = parseEndpointFile(JSON.stringify(value));
      } catch (error) {
        expect(error).toBeInstanceOf(MaasError);
        return;
      }
      accepted++;
      const bytes = encodeRegistration({
        model: 'dga',
        version: version.toWellFormed(),
        id: 'dga-1',
        url: advertisedUrl(endpoint, '10.244.0.17'),
        functions: endpoint.functions,
        registeredAt: 1_796_083_200_123,
      });
      expect(diagnose(bytes, 'dga', 'dga-1')).toMatchObject({
        verdict: 'readable',
        seen: { model: 'dga', url: advertisedUrl(endpoint, '10.244.0.17'), functions: endpoint.functions },
      });
    }),
    { numRuns: 2_000 },
  );
  expect(accepted).toBeGreaterThan(100);
});

test('never fails otherwise than with a coded error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      expect(refusal(bytes).code).toBe('ENDPOINT_NOT_JSON');
    }),
  );
});
