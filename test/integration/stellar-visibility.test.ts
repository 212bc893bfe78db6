/** What the clients in the field make of registrations: which ones blind them, and which ones they bear with. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { diagnose } from '../../src/wire/service-instance.ts';
import { aRegistration } from '../builders/registration.ts';
import { Chroot } from './chroot.ts';
import { applyModel, Followers, legacyList, newClients } from './java.ts';
import { endpoint, fatal, harmless, payload, type Row, unreadable } from './registration-rows.ts';

const good = [aRegistration({ id: 'good-1' }), aRegistration({ id: 'good-2', version: '2.0' })];
const ids = (endpoints: readonly { id: string | null }[]) => endpoints.map((one) => one.id).sort();

let chroot: Chroot;
beforeAll(async () => {
  chroot = await Chroot.make();
});
afterAll(async () => {
  await chroot[Symbol.asyncDispose]();
});

/** Puts the node of a row where it belongs, below a child of the chroot. */
async function put(child: string, row: Row): Promise<string> {
  const path = `${chroot.serviceRoot(child)}/${row.directory ?? 'spam'}/other`;
  await chroot.nodes.create(path, row.data, row.how ?? 'persistent');
  if (row.child !== undefined) await chroot.nodes.create(`${path}/child`, row.child);
  return path;
}

/** A child of the chroot for each row, each with the two good registrations. */
async function prepare(name: string, rows: readonly Row[]): Promise<{ row: Row; child: string; connect: string }[]> {
  const prepared = rows.map((row, index) => ({
    row,
    child: `${name}-${index}`,
    connect: chroot.connect(`${name}-${index}`),
  }));
  for (const { child } of prepared) {
    for (const registration of good) await chroot.register(registration, child);
  }
  return prepared;
}

describe.each([
  { name: 'fatal', rows: fatal },
  { name: 'hidden', rows: [unreadable] },
])('what is $name', ({ name, rows }) => {
  test('hides every model from a new client, and freezes a running one until it is mended', async () => {
    const places = await prepare(name, rows);
    await using followers = await Followers.start(...places.map(({ connect }) => connect));
    const paths: string[] = [];
    for (const { row, child, connect } of places) {
      await followers.sees('appeared', 'good-2', { connect });
      const from = followers.lines.length;
      paths.push(await put(child, row));
      await followers.line((line) => line.client === connect && line.event === 'unreadable', { from });
    }

    const fresh = await newClients(...places.map(({ connect }) => connect));
    for (const [index, { row }] of places.entries()) {
      expect({ what: row.what, ...fresh[index] }).toMatchObject({
        what: row.what,
        event: 'list',
        endpoints: [],
        error: expect.any(String),
      });
    }

    for (const { row, child, connect } of places) {
      const from = followers.lines.length;
      await chroot.nodes.delete(`${chroot.serviceRoot(child)}/dga/good-1`);
      await followers.line((line) => line.client === connect && line.event === 'unreadable', { from });
      expect({ what: row.what, ids: ids(await followers.knows(connect)) }).toEqual({
        what: row.what,
        ids: ['good-1', 'good-2'],
      });
    }

    for (const [index, { row, child, connect }] of places.entries()) {
      const from = followers.lines.length;
      await chroot.nodes.delete(paths[index] ?? '');
      // A running client has no watch on what it could never read: it looks again at the next change elsewhere.
      if (row.how === 'hidden') await chroot.register(aRegistration({ id: 'good-3' }), child);
      await followers.sees('vanished', 'good-1', { connect, from });
      expect(ids(await followers.knows(connect))).toEqual(row.how === 'hidden' ? ['good-2', 'good-3'] : ['good-2']);
    }
  });
});

test.each(fatal.filter((row) => row.child === undefined))('$what is found to be fatal', ({ data }) => {
  expect(diagnose(Buffer.from(data), 'spam', 'other').verdict).toBe('fatal');
});

test('what is harmless hides nothing, and changes are seen beside it', async () => {
  const places = await prepare('harmless', harmless);
  await using followers = await Followers.start(...places.map(({ connect }) => connect));
  for (const { row, child, connect } of places) {
    await followers.sees('appeared', 'good-2', { connect });
    const from = followers.lines.length;
    await put(child, row);
    await followers.sees('appeared', 'other', { connect, from });
    await chroot.nodes.delete(`${chroot.serviceRoot(child)}/dga/good-1`);
    await followers.sees('vanished', 'good-1', { connect, from });
    const unreadable = followers.lines.filter((line) => line.client === connect && line.event === 'unreadable');
    expect({ what: row.what, unreadable }).toEqual({ what: row.what, unreadable: [] });
  }
  const fresh = await newClients(...places.map(({ connect }) => connect));
  for (const [index, { row }] of places.entries()) {
    const seen = fresh[index];
    expect({ what: row.what, ids: seen?.event === 'list' ? ids(seen.endpoints) : seen }).toEqual({
      what: row.what,
      ids: ['good-2', 'other'],
    });
  }
});

test.each(harmless)('$what is found to be readable', ({ data, directory }) => {
  expect(diagnose(Buffer.from(data), directory ?? 'spam', 'other').verdict).toBe('readable');
});

test('directories without instances and data on directories hide nothing', async () => {
  for (const registration of good) await chroot.register(registration, 'directories');
  await chroot.nodes.create(`${chroot.serviceRoot('directories')}/empty`);
  await chroot.nodes.set(chroot.serviceRoot('directories'), '10.0.0.1');
  await chroot.nodes.set(`${chroot.serviceRoot('directories')}/dga`, 'anything');
  expect(await newClients(chroot.connect('directories'))).toMatchObject([
    { event: 'list', endpoints: expect.arrayContaining([expect.objectContaining({ id: 'good-1' })]), error: null },
  ]);
});

test('a model without an endpoint or without functions cannot be called, and the old LIST fails on it', async () => {
  for (const [index, data] of [
    payload((it) => Object.assign(it, { endpoint: null })),
    endpoint((it) => Object.assign(it, { functions: null })),
  ].entries()) {
    const child = `without-${index}`;
    await put(child, { what: '', data });
    expect(await applyModel(chroot.connect(child), { model: 'spam' })).toMatchObject({
      event: 'failed',
      kind: 'other',
    });
    await expect(legacyList(chroot.connect(child))).rejects.toThrow('exit code 1');
  }
});

test('the old LIST is printed as it was', async () => {
  for (const registration of [
    aRegistration({ id: '2', url: 'http://node7.example:22201', functions: { apply: 'apply' } }),
    aRegistration({ id: '1', url: 'http://node3.example:22200', functions: { apply: 'apply', score: 'v2/score' } }),
    aRegistration({ id: '3', model: 'spam', version: '2.0', url: 'http://node7.example:22202' }),
  ]) {
    await chroot.register(registration, 'old-list');
  }
  const dga = [
    'Model dga @ 1.0',
    'dga:1.0 @ http://node3.example:22200 serving:',
    '\tapply=apply',
    '\tscore=v2/score',
    'dga:1.0 @ http://node7.example:22201 serving:',
    '\tapply=apply',
  ];
  const spam = ['Model spam @ 2.0', 'spam:2.0 @ http://node7.example:22202 serving:', '\tapply=apply'];
  const connect = chroot.connect('old-list');
  expect((await legacyList(connect)).trimEnd().split('\n')).toEqual([...dga, ...spam]);
  expect((await legacyList(connect, { name: 'dga' })).trimEnd().split('\n')).toEqual(dga);
  expect((await legacyList(connect, { version: '2.0' })).trimEnd().split('\n')).toEqual(spam);
});
