import { describe, expect, it } from 'vitest';
import { results } from '../../contracts/call-results.ts';
import { inPlaceOf, translate } from './translation.ts';

const asked = { method: 'GET', host: 'models.example:8098', path: '/base/apply?a=1' };

describe('an answer', () => {
  it.each([
    ['GET', 200, true],
    ['GET', 204, true],
    ['GET', 304, true],
    ['GET', 201, false],
    ['GET', 202, false],
    ['GET', 206, false],
    ['GET', 205, false],
    ['GET', 300, false],
    ['GET', 400, false],
    ['GET', 503, false],
    ['GET', 999, false],
    ['HEAD', 404, false],
    ['POST', 201, true],
    ['POST', 500, true],
    ['DELETE', 404, true],
  ])('to a %s with %i is passed on: %s', (method, status, pass) => {
    expect(translate({ ...asked, method }, { status, headers: [] }, 9_000).pass).toBe(pass);
  });

  it('that redirects is passed on where it leads to the model, as a path', () => {
    const to = (location: string, status = 302) =>
      translate(asked, { status, headers: ['Location', location, 'Content-Length', '9'] }, 9_000);
    const location = (location_: string) => {
      const made = to(location_);
      return made.pass ? made.headers[made.headers.indexOf('Location') + 1] : undefined;
    };
    expect(
      [
        ...['/there?x=1', 'there', '?b=2', 'http://models.example:8098/x', 'http://127.0.0.1:9000/x#y'],
        ...['http://0.0.0.0:9000/', 'http://models.example:9000/x', 'http://other.example:9000/x'],
        ...['http://other.example/x', '//other.example/x', 'http://[bad'],
      ].map(location),
    ).toEqual([
      ...['/there?x=1', '/base/there', '/base/apply?b=2', '/x', '/x#y', '/', '/x'],
      ...[undefined, undefined, undefined, undefined],
    ]);
    expect(to('/x', 308)).toMatchObject({ status: 307, bodiless: true });
    expect(translate(asked, { status: 301, headers: [] }, 9_000)).toMatchObject({ pass: false });
  });
});

describe('in place of an answer', () => {
  const failures = results.filter((each) => each !== 'answered' && each !== 'cached' && each !== 'gone');

  it.each(failures)('%s gives Stellar nothing that has a body', (failure) => {
    for (const method of ['GET', 'HEAD']) {
      expect(inPlaceOf(failure, method, 'NoContent')).toEqual({ status: 204 });
      expect(['close', { status: 204 }]).toContainEqual(inPlaceOf(failure, method, 'Close'));
    }
  });

  it.each(failures)('%s is no success to other programs', (failure) => {
    for (const onError of ['NoContent', 'Close'] as const) {
      expect(inPlaceOf(failure, 'POST', onError)).toMatchObject({ status: expect.toSatisfy((n: number) => n >= 500) });
    }
  });

  it('no connection is closed by what would only be asked again', () => {
    expect(failures.filter((failure) => inPlaceOf(failure, 'GET', 'Close') !== 'close')).toEqual([
      'timeout',
      'rejected',
    ]);
  });
});
