/** `kubectl maas call` against real models: what it asks for is what Stellar asks for, whichever way it takes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { projectRoot } from '../../deploy/local/cache.ts';
import { ended, type Ran } from '../integration/cli-process.ts';
import { applyModel } from '../integration/java.ts';
import { present } from '../integration/world.ts';
import { Stage } from './stage.ts';

/** Says who it is and what it was asked; with `status` in the query it answers that, without JSON. */
const talkative = (version: string) => ({
  'run.sh': `#!/bin/bash\npython server.py ${version}\n`,
  'server.py': `
import json, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit, parse_qs

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        query = parse_qs(urlsplit(self.path).query, keep_blank_values=True)
        status = int(query.get("status", ["200"])[0])
        n = query.get("n", ["0"])[0]
        said = {"version": sys.argv[1], "path": self.path, "even": int(n) % 2 == 0 or sys.argv[1] == "1.0"}
        body = json.dumps(said if status == 200 else "no").encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args):
        pass

server = ThreadingHTTPServer(("0.0.0.0", 0), Handler)
with open("endpoint.dat", "w") as endpoint:
    endpoint.write(json.dumps({"url": "http://0.0.0.0:%d/base/" % server.server_port, "functions": {"score": "/v1/score"}}))
server.serve_forever()
`,
});

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open('call');
  await stage.payload('one', talkative('1.0'));
  await stage.payload('two', talkative('2.0'));
  await stage.apply('one', { model: 'dga', version: '1.0', instances: 1 });
  await stage.apply('two', { model: 'dga', version: '2.0', instances: 2 });
  await Promise.all([stage.serves('one', 1), stage.serves('two', 2)]);
});
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
});

const program = join(projectRoot, 'src/bin/kubectl-maas.ts');

async function maas(
  args: readonly string[],
  input = '',
  begun: (child: ChildProcess) => void = () => {},
): Promise<Ran> {
  const env = {
    ...process.env,
    KUBECONFIG: present('cluster').kubeconfig,
    MAAS_OPERATOR_NAMESPACE: stage.operatorNamespace,
  };
  const child = spawn(process.execPath, [program, ...args, '-n', stage.namespace], { env });
  child.stdin?.end(input);
  begun(child);
  return ended(child);
}

const odd = { host: 'yahoo.com', text: "a b&c=ä!~'()*", Aa: '1', BB: '2', empty: '' };
const oddArgs = Object.entries(odd).map(([name, value]) => `${name}=${value}`);

describe('a call', () => {
  test.each(['direct', 'api-server'])('%s is what Stellar asks for', async (way) => {
    const { code, out, err } = await maas(['call', 'dga', '-f', 'score', '--via', way, ...oddArgs]);
    expect({ code, err }).toMatchObject({ code: 0, err: expect.stringMatching(/^dga 2\.0, instance .*, by /) });
    const seen = await applyModel(stage.chroot.connect(), { model: 'dga', function: 'score', args: odd });
    expect(seen).toMatchObject({ event: 'answer', answer: JSON.parse(out) });
    expect(JSON.parse(out)).toMatchObject({ version: '2.0', path: expect.stringMatching(/^\/base\/v1\/score\?/) });
  });

  test('of a version, of each instance, and from ZooKeeper', async () => {
    expect(JSON.parse((await maas(['call', 'dga', '--model-version', '1.0'])).out)).toMatchObject({ version: '1.0' });
    const all = JSON.parse((await maas(['call', 'dga', '--all', '-o', 'json', '--from', 'zookeeper'])).out);
    expect(all).toMatchObject({ source: 'zookeeper' });
    expect(all.calls).toHaveLength(2);
    expect(new Set(all.calls.map((each: { url: string }) => each.url)).size).toBe(2);
  });

  test.each(['direct', 'api-server'])('%s says what becomes of an error', async (way) => {
    const { code, err } = await maas(['call', 'dga', '--via', way, 'status=503']);
    expect(code).toBe(1);
    expect(err).toContain('Stellar: MAAS_MODEL_APPLY gives null, now and from then on; status 503');
  });
});

describe('two versions', () => {
  test('are compared row by row', async () => {
    const rows = Array.from({ length: 40 }, (_, n) => `${n},yahoo.com`);
    const compare = ['call', 'dga', '--compare', '1.0', '2.0', '--inputs', '-', '--ignore', 'version'];
    const { code, out, err } = await maas([...compare, '-o', 'json'], `n,host\n${rows.join('\n')}\n`);
    expect({ code, err }).toEqual({ code: 1, err: 'comparing dga 1.0 with 2.0: 40 rows\n' });
    const odd = rows.map((_, n) => n).filter((n) => n % 2 === 1);
    const report = JSON.parse(out);
    expect(report).toMatchObject({ rows: 40, compared: 40, differing: 20 });
    expect(report.differences.map((each: { row: number }) => each.row)).toEqual(odd.map((n) => n + 1));
    expect(report.versions).toMatchObject([
      { version: '1.0', maps: 40, others: 0, latencies: { count: 40 } },
      { version: '2.0', maps: 40, others: 0, latencies: { count: 40 } },
    ]);
    const same = await maas(compare, '{"n":2}\n{"n":4}\n');
    expect(same).toMatchObject({ code: 0, out: expect.stringContaining('2 rows: 2 the same, 0 different\n') });
  });

  test('share the load of neither; all instances of one do', async () => {
    const { code, out } = await maas(['call', 'dga', '--load', '50', '--for', '2s', '-o', 'json']);
    const report = JSON.parse(out);
    expect(report).toMatchObject({ kind: 'ModelLoad', calls: 100, maps: 100, skipped: 0, givenUp: false });
    expect(Object.keys(report.instances)).toHaveLength(2);
    expect(code).toBe(0);
  });

  test('an interrupted load prints what there is', async () => {
    const { code, out } = await maas(['call', 'dga', '--load', '20', '--for', '10m'], '', (child) => {
      child.stderr?.once('data', () => child.kill('SIGINT'));
    });
    expect(code).toBe(130);
    expect(out).toMatch(/^\d+ calls? in \d\.\d s, .* a second of 20: \d+ with a map\n/);
  });
});
