import { describe, expect, it } from 'vitest';
import { classifyRefusal } from './remote-exception.ts';

const remote = (exception: string, message = 'why') => ({
  RemoteException: { exception, javaClassName: `x.${exception}`, message },
});

describe('a 403 of WebHDFS, which is many things', () => {
  it.each([
    ['AccessControlException', 'Permission denied: user=maas', 'HDFS_FORBIDDEN', false],
    ['AccessControlException', '/a/file (is not a directory)', 'HDFS_PATH_MISSING', false],
    ['SafeModeException', 'Cannot create file', 'HDFS_UNAVAILABLE', false],
    ['StandbyException', 'Operation category READ is not supported in state standby', 'HDFS_UNAVAILABLE', true],
    ['RetriableException', 'Namenode is in startup mode', 'HDFS_UNAVAILABLE', true],
    ['FileAlreadyExistsException', '/a already exists', 'HDFS_PATH_EXISTS', false],
    ['PathIsNotEmptyDirectoryException', '/a is non empty', 'HDFS_PATH_EXISTS', false],
    ['InvalidToken', 'token (...) is expired', 'HDFS_UNAUTHENTICATED', false],
    ['SecretManager$InvalidToken', 'StandbyException: not active', 'HDFS_UNAVAILABLE', true],
    [
      'SecurityException',
      'Failed to obtain user group information: x$InvalidToken: StandbyException',
      'HDFS_UNAVAILABLE',
      true,
    ],
    [
      'SecurityException',
      'Failed to obtain user group information: x$InvalidToken: gone',
      'HDFS_UNAUTHENTICATED',
      false,
    ],
    ['DSQuotaExceededException', 'The DiskSpace quota is exceeded', 'HDFS_NO_SPACE', false],
    ['FSLimitException$PathComponentTooLongException', 'too long', 'HDFS_PATH_INVALID', false],
    ['ParentNotDirectoryException', '/a (is not a directory)', 'HDFS_PATH_INVALID', false],
    ['IOException', 'Failed to find datanode, suggest to check cluster health', 'HDFS_UNAVAILABLE', false],
    ['IOException', 'No active nodes contain this block', 'HDFS_UNAVAILABLE', false],
    ['IOException', 'something else', 'HDFS_ERROR', false],
    ['__proto__', 'odd', 'HDFS_ERROR', false],
    ['constructor', 'odd', 'HDFS_ERROR', false],
  ])('%s: %s', (exception, message, code, tryElsewhere) => {
    const refusal = classifyRefusal(403, remote(exception, message), 'open /a');
    expect(refusal.error.code).toBe(code);
    expect(refusal.tryElsewhere).toBe(tryElsewhere);
    expect(refusal.error.message).toContain(message);
  });
});

describe('an answer that is not of WebHDFS', () => {
  it.each([
    [401, 'HDFS_UNAUTHENTICATED', false],
    [403, 'HDFS_FORBIDDEN', false],
    [404, 'HDFS_ERROR', false],
    [409, 'HDFS_ERROR', false],
    [429, 'HDFS_UNAVAILABLE', true],
    [500, 'HDFS_ERROR', false],
    [502, 'HDFS_UNAVAILABLE', true],
    [503, 'HDFS_UNAVAILABLE', true],
    [504, 'HDFS_UNAVAILABLE', true],
  ])('%i', (status, code, tryElsewhere) => {
    const refusal = classifyRefusal(status, '<html><title>Oh no</title><body>long</body></html>', 'open /a');
    expect(refusal.error.code).toBe(code);
    expect(refusal.tryElsewhere).toBe(tryElsewhere);
    expect(refusal.error.message).toContain(`${status} (Oh no)`);
  });

  it.each([
    [null],
    [[]],
    [{}],
    [{ RemoteException: null }],
    [{ RemoteException: { exception: 7 } }],
    [undefined],
    [42],
  ])('with the body %j is judged by its status', (body) => {
    expect(classifyRefusal(503, body, 'open /a').error.code).toBe('HDFS_UNAVAILABLE');
  });
});

describe('what HDFS says', () => {
  it('comes without Java stacks, control characters and credentials', () => {
    const message =
      'Denied\u001b[31m for http://dn/x?op=OPEN&delegation=SECRET&x=1 or SECRET\n\tat org.apache.Foo(Foo.java:1)';
    const text = classifyRefusal(403, remote('AccessControlException', message), 'open /a', 'SECRET').error.message;
    expect(text).toBe(
      'Could not open /a: AccessControlException: Denied\\u001b[31m for http://dn/x?op=OPEN&delegation=***&x=1 or ***',
    );
  });

  it('is cut where it is endless', () => {
    const { error } = classifyRefusal(403, remote('IOException', 'x'.repeat(100_000)), 'open /a');
    expect(error.message.length).toBeLessThan(800);
  });
});
