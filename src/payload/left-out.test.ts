import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { leavesOut, leftOutOfOldUploads, leftOutOfUploads } from './left-out.ts';

describe('what an upload leaves out', () => {
  const leaves = leavesOut(leftOutOfUploads);

  it.each([
    ['.git', true],
    ['lib/.git', false],
    ['.svn', true],
    ['.hg', true],
    ['.DS_Store', false],
    ['data/.DS_Store', false],
    ['._run.sh', false],
    ['__MACOSX', true],
    ['Icon\r', false],
    ['Thumbs.db', false],
    ['thumbs.db', false],
    ['desktop.ini', false],
    ['Desktop.ini', false],
    ['model.bin:Zone.Identifier', false],
    ['run.sh~', false],
    ['.run.sh.swp', false],
    ['.run.sh.swo', false],
    ['#run.sh#', false],
    ['.#run.sh', false],
    ['run.sh.bak', false],
    ['run.sh.orig', false],
    ['run.sh.rej', false],
    ['.~lock.words.csv#', false],
    ['~$words.xlsx', false],
    ['.nfs000000000123', false],
    ['.idea', true],
    ['.vscode', true],
    ['lib/__pycache__', true],
    ['.ipynb_checkpoints', true],
    ['.venv', true],
  ])('%j', (path, isDirectory) => expect(leaves(path, isDirectory)).toBe(true));

  it.each([
    ['run.sh', false],
    ['.env', false],
    ['.gitkeep', false],
    ['.github', true],
    ['backup.bin', false],
    ['bak', false],
    ['words.csv', false],
    ['#1.txt', false],
    ['model.pyc', false],
    ['venv', true],
    ['Iconic', false],
    ['.swap', false],
    ['.config', true],
    ['original', true],
  ])('but not %j', (path, isDirectory) => expect(leaves(path, isDirectory)).toBe(false));

  it('of the old command is only what no model can have meant', () => {
    const old = leavesOut(leftOutOfOldUploads);
    expect(['._run.sh', '.DS_Store', '.#run.sh', '.run.sh.swp'].every((path) => old(path, false))).toBe(true);
    expect(['words.bak', 'words~', 'run.sh.orig'].some((path) => old(path, false))).toBe(false);
  });
});

describe('patterns, held against Git', () => {
  const patterns = [
    ...leftOutOfUploads,
    '# a comment',
    '',
    '/top.txt',
    'deep/',
    'a/**/b',
    'a/*/c',
    '**/any/where',
    '*.log',
    '!keep.log',
    '!kept.bak',
    'data/*',
    '!data/words.csv',
    'Case.txt',
    '\\#hash',
    '\\!bang',
    'space\\ ',
    'trailing   ',
    '[a-c]?.txt',
    'ü*',
    'deep/no/!x',
  ];
  const paths = [
    ...['top.txt', 'lib/top.txt', 'deep/x', 'lib/deep/x', 'deeper', 'a/b', 'a/x/b', 'a/x/y/b', 'a/x/c', 'a/x/y/c'],
    ...['x/any/where', 'any/where', 'any/where2', 'x.log', 'keep.log', 'lib/keep.log', 'kept.bak', 'x.bak'],
    ...['data/x', 'data/words.csv', 'data/sub/words.csv', 'case.txt', 'Case.txt', '#hash', '!bang', 'space ', 'space'],
    ...[
      'trailing',
      'b1.txt',
      'd1.txt',
      'über',
      'u',
      '.git/config',
      'lib/._x.sh',
      'Icon\r',
      '#x#',
      '~$x',
      'x~',
      '.venv/a',
    ],
    ...['.idea/x', 'x/__pycache__/y.pyc', 'm:Zone.Identifier', '$RECYCLE.BIN/x', 'a\\b', '.x.swp', '.x.swq', '.env'],
  ];
  const directory = mkdtempSync(join(tmpdir(), 'left-out-'));
  let ignored: Set<string>;
  beforeAll(() => {
    execFileSync('git', ['init', '-q', directory], { stdio: 'ignore' });
    writeFileSync(join(directory, '.gitignore'), patterns.filter((pattern) => !pattern.includes('\r')).join('\n'));
    mkdirSync(join(directory, 'lib'));
    const answer = spawnSync('git', ['-C', directory, 'check-ignore', '--no-index', '-z', '--stdin'], {
      input: paths.join('\0'),
    });
    ignored = new Set(answer.stdout.toString().split('\0'));
    // Git knows these without being told, or cannot be told.
    for (const path of ['.git/config', 'Icon\r']) ignored.add(path);
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  const leaves = leavesOut(patterns);
  /** As an upload goes down: into no directory that is left out. */
  const isLeftOut = (path: string) =>
    path.split('/').some((_, index, all) => leaves(all.slice(0, index + 1).join('/'), index < all.length - 1));
  it.each(paths.map((path) => [path]))('%j', (path) => {
    expect(isLeftOut(path)).toBe(ignored.has(path));
  });
});
