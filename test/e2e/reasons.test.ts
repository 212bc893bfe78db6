/** Every reason that a person may have to read, produced by a real kubelet, HDFS or ZooKeeper, read with `kubectl get`. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pythonModel, script } from './payloads.ts';
import { Stage } from './stage.ts';
import { tellsWhy } from './why-text.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open('reasons');
});
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
});

const endpoint = (text: string) => `echo '${text}' > endpoint.dat`;

describe.concurrent('kubectl get mdl says why a model is not up', () => {
  it('a path that is not there, and goes on when it is', async () => {
    await stage.apply('missing', {});
    const message = await stage.reasonIs('missing', 'HdfsPathMissing');
    expect(message).toContain(`${stage.payloads}/missing`);
    await stage.payload('missing', pythonModel('1.0'));
    await stage.serves('missing', 1);
  });

  it('no script', async () => {
    await stage.payload('no-script', { 'model.bin': 'x' });
    await stage.apply('no-script', {});
    expect(await stage.reasonIs('no-script', 'PayloadNoScript')).toContain('*.sh');
  });

  it('several scripts', async () => {
    await stage.payload('scripts', { 'a.sh': 'x', 'b.sh': 'x' });
    await stage.apply('scripts', {});
    expect(await stage.reasonIs('scripts', 'PayloadSeveralScripts')).toMatch(/a\.sh.*b\.sh/);
  });

  it('HDFS refuses the user', async () => {
    const directory = await stage.payload('secret', pythonModel('1.0'));
    // The superuser takes the directory away from the operator's user.
    await stage.makePrivate(directory);
    await stage.apply('secret', {});
    expect(await stage.reasonIs('secret', 'HdfsForbidden')).toContain('secret');
    await tellsWhy(stage, 'secret');
  });

  it('an address of HDFS that nobody has configured', async () => {
    await stage.apply('elsewhere', { path: 'hdfs://other-cluster/models/x' });
    expect(await stage.reasonIs('elsewhere', 'HdfsNameserviceUnknown')).toContain('other-cluster');
    await tellsWhy(stage, 'elsewhere');
  });

  it('no room in the cluster, in the words of the scheduler', async () => {
    await stage.payload('huge', pythonModel('1.0'));
    await stage.apply('huge', { memory: '900Gi' });
    expect(await stage.reasonIs('huge', 'Unschedulable')).toContain('Insufficient memory');
  });

  it('an image that cannot be pulled', async () => {
    await stage.payload('image', pythonModel('1.0'));
    await stage.apply('image', { spec: { image: 'localhost:1/no/such:image' } });
    expect(await stage.reasonIs('image', 'ImagePullFailed')).toContain('localhost:1/no/such:image');
  });

  it('a script that ends: exit code and last lines', async () => {
    await stage.payload('ends', script('echo loading weights\necho no module named torch >&2\nexit 3'));
    await stage.apply('ends', {});
    const message = await stage.reasonIs('ends', 'ScriptEnded');
    expect(message).toContain('status 3');
    expect(message).toContain('no module named torch');
  });

  it('a script from Windows: who was asked for, and why that is nobody', async () => {
    await stage.payload('windows', { 'run.sh': '#!/bin/bash\r\nexec python server.py\r\n' });
    await stage.apply('windows', {});
    const message = await stage.reasonIs('windows', 'ScriptNotRunnable');
    expect(message).toContain('the first line of "run.sh" ends with a carriage return, so it asks for "/bin/bash\\r"');
    expect(message).toContain('status 127');
  });

  it('an interpreter that the image does not have', async () => {
    await stage.payload('python2', { 'run.sh': '#!/usr/bin/python2\nprint 1\n' });
    await stage.apply('python2', {});
    expect(await stage.reasonIs('python2', 'ScriptInterpreterMissing')).toContain('/usr/bin/python2');
    await tellsWhy(stage, 'python2');
    await stage.payload('env', { 'run.sh': '#!/usr/bin/env python2.4\nprint 1\n' });
    await stage.apply('env', {});
    expect(await stage.reasonIs('env', 'ScriptInterpreterMissing')).toContain('python2.4');
  });

  it('a script with the copies of editors beside it', async () => {
    const copies = { '._run.sh': 'x', '.run.sh.swp': 'x', '.backup.sh': 'x', 'run.sh~': 'x', 'run.sh.orig': 'x' };
    await stage.payload('copies', { ...pythonModel('1.0'), ...copies });
    await stage.apply('copies', {});
    await stage.serves('copies', 1);
  });

  it('a script that ends well, which it must not', async () => {
    await stage.payload('ends-well', script('echo all done'));
    await stage.apply('ends-well', {});
    const message = await stage.reasonIs('ends-well', 'ScriptEnded');
    expect(message).toContain('status 0');
    expect(message).toContain('all done');
  });

  it('endpoint.dat that does not come in time', async () => {
    await stage.payload('silent', script('exec sleep infinity'));
    await stage.apply('silent', { spec: { startupTimeout: '5s' } });
    expect(await stage.reasonIs('silent', 'EndpointMissing')).toContain('endpoint.dat');
    await tellsWhy(stage, 'silent');
  });

  it('endpoint.dat that is not JSON', async () => {
    await stage.payload('not-json', script(`${endpoint('url: http://0.0.0.0:80')}\nexec sleep infinity`));
    await stage.apply('not-json', {});
    expect(await stage.reasonIs('not-json', 'EndpointNotJson')).toContain('endpoint.dat');
  });

  it('a port that nobody listens on', async () => {
    await stage.payload('deaf', script(`${endpoint('{"url": "http://0.0.0.0:18081"}')}\nexec sleep infinity`));
    await stage.apply('deaf', {});
    expect(await stage.reasonIs('deaf', 'EndpointNotListening')).toContain('18081');
  });

  it('a model that listens on localhost only', async () => {
    await stage.payload('shy', pythonModel('1.0', { host: '127.0.0.1' }));
    await stage.apply('shy', {});
    expect(await stage.reasonIs('shy', 'EndpointLoopbackOnly')).toMatch(/0\.0\.0\.0/);
  });

  it('more memory than it may use', async () => {
    await stage.payload('greedy', script('python -c "x = bytearray(300 * 1024 * 1024)"\nexit $?'));
    await stage.apply('greedy', { memory: '64Mi' });
    expect(await stage.reasonIs('greedy', 'OutOfMemory')).toContain('memory');
    await tellsWhy(stage, 'greedy');
  });

  it('a payload that is changed under a running version, which keeps serving what it started with', async () => {
    await stage.payload('changed', pythonModel('1.0'));
    await stage.apply('changed', {});
    await stage.serves('changed', 1);
    await stage.payload('changed', pythonModel('2.0'));
    expect(await stage.reasonIs('changed', 'PayloadChanged')).toContain('other content');
    expect((await stage.show('changed')).status.registered).toBe(1);
    await tellsWhy(stage, 'changed');
  });

  it('a name that another resource owns', async () => {
    await stage.payload('owner', pythonModel('1.0'));
    await stage.apply('owner', { model: 'claimed' });
    await stage.serves('owner', 1);
    await stage.apply('second', { model: 'claimed', path: `${stage.payloads}/owner` });
    expect(await stage.reasonIs('second', 'NameOwned')).toContain('owner');
    await tellsWhy(stage, 'second');
    await stage.k('delete', 'mdl', 'second');
  });

  it('a number of bytes where megabytes were meant is refused at once', async () => {
    await expect(stage.apply('bytes', { memory: '512' })).rejects.toThrow(/did you mean 512Mi\?/);
  });
});
