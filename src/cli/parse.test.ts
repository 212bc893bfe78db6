import { describe, expect, it } from 'vitest';
import { errorCatalogue } from '../contracts/error-catalogue.ts';
import { commands } from './commands.ts';
import { exitCodeMeanings, exitCodeOf, exitCodes } from './exit-codes.ts';
import { helpTexts, parseArguments } from './parse.ts';

const context = { version: '1.2.3', operatorNamespace: undefined };
function parse(line: string, operatorNamespace?: string) {
  const parsed = parseArguments(line === '' ? [] : line.split(' '), { ...context, operatorNamespace });
  if (parsed.kind !== 'command') return parsed;
  const { name, value } = parsed.command;
  return { kind: 'command' as const, command: { kind: name, ...value } };
}

function refused(line: string): string {
  const parsed = parse(line);
  if (parsed.kind !== 'refused') throw new Error(`"${line}" was not refused`);
  expect(parsed.error.code).toBe('USAGE');
  return `${parsed.error.message} | ${parsed.error.next}`;
}

describe('parseArguments', () => {
  it('reads every option of add', () => {
    const line =
      '--name dga --version 1.0 --instances 3 --memory 2Gi --cpu 500m --local-model-path ./dga ' +
      '--hdfs-model-path /models/dga --env LEVEL=high --env EMPTY= --env GONE- --image models:1 ' +
      '--startup-timeout 1h --drain 10s --advertise http://m.example:{port} --wait --timeout 90s --dry-run ' +
      '-o yaml -n fraud --context prod --kubeconfig /etc/kube --operator-namespace maas';
    expect(parse(`add ${line}`)).toEqual({
      kind: 'command',
      command: {
        kind: 'add',
        cluster: { kubeconfig: '/etc/kube', context: 'prod' },
        output: 'yaml',
        namespace: 'fraud',
        model: 'dga',
        version: '1.0',
        instances: 3,
        immutable: false,
        wait: true,
        timeoutMs: 90_000,
        dryRun: true,
        localPath: './dga',
        exclude: [],
        hdfsPath: '/models/dga',
        operatorNamespace: 'maas',
        memory: '2Gi',
        cpu: '500m',
        image: 'models:1',
        startupTimeout: '1h',
        drain: '10s',
        advertise: 'http://m.example:{port}',
        env: [
          { name: 'LEVEL', value: 'high' },
          { name: 'EMPTY', value: '' },
          { name: 'GONE', value: undefined },
        ],
      },
    });
  });

  it('has defaults', () => {
    expect(parse('add --name dga --version 1.0')).toEqual({
      kind: 'command',
      command: {
        kind: 'add',
        cluster: {},
        output: undefined,
        namespace: undefined,
        model: 'dga',
        version: '1.0',
        instances: undefined,
        immutable: false,
        wait: false,
        timeoutMs: 600_000,
        dryRun: false,
        localPath: undefined,
        exclude: [],
        hdfsPath: undefined,
        operatorNamespace: 'maas-system',
        env: [],
      },
    });
    expect(parse('remove --name dga --version 1.0')).toMatchObject({
      command: { kind: 'remove', instances: undefined },
    });
    expect(parse('list')).toMatchObject({ command: { kind: 'list', allNamespaces: false, model: undefined } });
  });

  it('takes a bare number of memory as megabytes', () => {
    expect(parse('add --name a --version 1 --memory 512')).toMatchObject({ command: { memory: '512Mi' } });
  });

  it('keeps the patterns of an upload in their order', () => {
    expect(parse('add --name a --version 1 --local-model-path ./a --exclude *.csv --exclude !words.csv')).toMatchObject(
      { command: { exclude: ['*.csv', '!words.csv'] } },
    );
    expect(refused('add --name a --version 1 --exclude *.csv')).toContain('--exclude is of --local-model-path');
  });

  it('finds the operator by the flag, else by the environment', () => {
    const add = 'add --name a --version 1';
    expect(parse(add, 'from-env')).toMatchObject({ command: { operatorNamespace: 'from-env' } });
    expect(parse(`${add} --operator-namespace flag`, 'from-env')).toMatchObject({
      command: { operatorNamespace: 'flag' },
    });
  });

  it('takes the options of the cluster before the command too, and the later ones win', () => {
    expect(parse('-n early --context prod list -n late -A -ojson')).toMatchObject({
      command: { namespace: 'late', cluster: { context: 'prod' }, allNamespaces: true, output: 'json' },
    });
  });

  it('takes kubectl words for a dry run where they mean the same', () => {
    const remove = 'remove --name a --version 1';
    expect(parse(`${remove} --dry-run=server`)).toMatchObject({ command: { dryRun: true } });
    expect(parse(`${remove} --dry-run=none`)).toMatchObject({ command: { dryRun: false } });
    expect(parse(`${remove} --dry-run --wait`)).toMatchObject({ command: { dryRun: true, wait: true } });
  });

  it('takes every option of kubectl that names a cluster or an identity, before and behind the command', () => {
    const options =
      '--cluster c --user u -s https://api.example --token t --certificate-authority ca --client-certificate cert ' +
      '--client-key key --insecure-skip-tls-verify --tls-server-name name --proxy-url http://proxy ' +
      '--disable-compression=true --as jane --as-uid 7 --as-group a --as-group b --as-user-extra x=1 ' +
      '--username joe --password secret --request-timeout 1m --cache-dir /tmp/cache';
    const cluster = {
      cluster: 'c',
      user: 'u',
      server: 'https://api.example',
      token: 't',
      certificateAuthority: 'ca',
      clientCertificate: 'cert',
      clientKey: 'key',
      insecureSkipTlsVerify: true,
      tlsServerName: 'name',
      proxyUrl: 'http://proxy',
      disableCompression: true,
      as: 'jane',
      asUid: '7',
      asGroup: ['a', 'b'],
      asUserExtra: ['x=1'],
      username: 'joe',
      password: 'secret',
      requestTimeoutMs: 60_000,
    };
    for (const command of ['list', 'status', 'doctor', 'import', 'mode', 'version', 'add --name a --version 1']) {
      expect(parse(`${command} ${options}`), command).toMatchObject({ command: { cluster } });
      expect(parse(`${options} ${command}`), command).toMatchObject({ command: { cluster } });
    }
  });

  it('takes the flags of kubectl with yes and no, and what is empty for nothing', () => {
    const cluster = (line: string) => {
      const parsed = parse(line);
      return 'command' in parsed && 'cluster' in parsed.command ? parsed.command.cluster : parsed;
    };
    expect(cluster('list --insecure-skip-tls-verify=false --disable-compression=F')).toEqual({});
    expect(cluster('--insecure-skip-tls-verify mode shadow')).toEqual({ insecureSkipTlsVerify: true });
    expect(cluster('list --context= --token= --request-timeout 0')).toEqual({ requestTimeoutMs: 0 });
    expect(parse('list --namespace=')).toMatchObject({ command: { namespace: undefined } });
    expect(refused('list --request-timeout soon')).toContain('--request-timeout');
    expect(refused('list --insecure-skip-tls-verify=maybe')).toContain('--insecure-skip-tls-verify');
  });

  it.each([
    ['add', 'add needs --name and --version | See `kubectl maas add --help`.'],
    ['remove --name dga', 'remove needs --version | See `kubectl maas remove --help`.'],
    ['lst', "unknown command 'lst'\n(Did you mean list?) | See `kubectl maas --help`."],
    ['list --nme x', "unknown option '--nme'\n(Did you mean --name?) | See `kubectl maas list --help`."],
    [
      'list dga',
      "too many arguments for 'list'. Expected 0 arguments but got 1: dga | See `kubectl maas list --help`.",
    ],
    [
      'list -o xml',
      "option '-o, --output <format>' argument 'xml' is invalid. Allowed choices are table, wide, json, yaml, name | See `kubectl maas list --help`.",
    ],
    [
      'add --name a --version 1 --memory 512m',
      "option '--memory <amount>' argument '512m' is invalid. It is less than 16Mi. \"m\" means thousandths; did you mean 512Mi? | See `kubectl maas add --help`.",
    ],
    [
      'add --name a --version 1 --timeout 5',
      "option '--timeout <time>' argument '5' is invalid. Write a duration with its unit, such as 30s, 10m or 1h30m | See `kubectl maas add --help`.",
    ],
  ])('refuses `%s`', (line, said) => {
    expect(refused(line)).toBe(said);
  });

  it.each([
    '--instances -1',
    '--instances 1.5',
    '--instances 1001',
    '--instances many',
    '--memory 8',
    '--memory 1GB',
    '--memory -5',
    '--cpu 0',
    '--cpu two',
    '--env novalue',
    '--env =x',
    '--drain 5',
    '--advertise Pod',
    '--dry-run=client',
    '--namespace Fraud',
    '--name a/b',
    '--local-model-path=',
  ])('refuses add with %s', (option) => {
    refused(`add --name a --version 1 ${option}`);
  });

  it('refuses to remove no instance', () => {
    refused('remove --name a --version 1 --instances 0');
  });

  it('says whether its refusal is to be JSON', () => {
    expect(parse('add -o json')).toMatchObject({ kind: 'refused', json: true });
    expect(parse('add -ojson')).toMatchObject({ kind: 'refused', json: true });
    expect(parse('add --output=json')).toMatchObject({ kind: 'refused', json: true });
    expect(parse('add -o yaml')).toMatchObject({ kind: 'refused', json: false });
  });

  it('tells its version, and help without a command', () => {
    expect(parse('--version')).toEqual({ kind: 'text', text: 'kubectl-maas 1.2.3\n' });
    const help = parse('');
    expect(help).toEqual(parse('--help'));
    expect(help.kind === 'text' && help.text).toContain('Usage: kubectl maas [options] [command]');
  });
});

describe('parseArguments for the commands about ZooKeeper', () => {
  const everywhere = {
    cluster: {},
    output: undefined,
    namespace: undefined,
    zookeeper: undefined,
    operatorNamespace: 'maas-system',
  };

  it('has defaults', () => {
    expect(parse('status')).toEqual({
      kind: 'command',
      command: { kind: 'status', ...everywhere, model: undefined, version: undefined },
    });
    expect(parse('import')).toEqual({
      kind: 'command',
      command: {
        kind: 'import',
        ...everywhere,
        model: undefined,
        version: undefined,
        memory: undefined,
        payloadPath: undefined,
        apply: false,
        dryRun: false,
      },
    });
    expect(parse('doctor')).toEqual({
      kind: 'command',
      command: { kind: 'doctor', ...everywhere, files: [], connect: true, connectTimeoutMs: 2_000, strict: false },
    });
  });

  it('reads their options', () => {
    const where = '--zookeeper zk1:2181,zk2/hadoop -n fraud';
    expect(parse(`status --name dga --version 1.0 ${where} -o wide`)).toMatchObject({
      command: { model: 'dga', version: '1.0', zookeeper: 'zk1:2181,zk2/hadoop', namespace: 'fraud', output: 'wide' },
    });
    expect(parse(`import --memory 512 --payload-path models/{name} --apply --dry-run ${where}`)).toMatchObject({
      command: { memory: '512Mi', payloadPath: 'models/{name}', apply: true, dryRun: true },
    });
    expect(parse('doctor -f a.yaml --filename -')).toMatchObject({ command: { files: ['a.yaml', '-'] } });
    expect(parse(`doctor --no-connect --connect-timeout 500ms --strict ${where} -o json`)).toMatchObject({
      command: { connect: false, connectTimeoutMs: 500, strict: true, output: 'json' },
    });
  });

  it('refuses what means nothing', () => {
    expect(refused('import --dry-run')).toContain('--dry-run needs --apply');
    expect(refused('import -o wide')).toContain('yaml, json');
    expect(refused('doctor --connect-timeout soon')).toContain('--connect-timeout');
  });
});

describe('the help', () => {
  it('of every command says the exit codes and has examples that parse', () => {
    // Their names and their order are those of docs/kubectl-maas.md, which a test holds to this.
    expect(helpTexts().map(({ command }) => command)).toEqual([
      'kubectl maas',
      ...commands.map(({ name }) => `kubectl maas ${name}`),
      'kubectl maas help',
    ]);
    const silent = ['help', ...commands.filter(({ exitCodes }) => exitCodes === false).map(({ name }) => name)];
    expect(silent).toEqual(['help', 'version']);
    for (const { command, text } of helpTexts()) {
      const examples = [...text.replace(/ \\\n +/g, ' ').matchAll(/^ {2}kubectl maas (.*)$/gm)].map(
        ([, line]) => line?.replace(/ \|.*$/, '') ?? '',
      );
      expect(examples.length, command).toBeGreaterThan(1);
      for (const example of examples) expect(parse(example).kind, example).toMatch(/^(command|text)$/);
      if (!silent.includes(command.replace('kubectl maas ', ''))) {
        const said = text.replace(/\n {7}/g, ' ');
        for (const [code, means] of exitCodeMeanings) expect(said).toContain(`${String(code).padStart(5)}  ${means}`);
      }
    }
  });

  it('fits a terminal of 80 columns', () => {
    for (const { text } of helpTexts()) expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });

  it.each(helpTexts())('of $command is what `help` prints too', ({ command }) => {
    const name = command.replace(/^kubectl maas ?/, '');
    expect(parse(`help ${name}`.trim())).toEqual(parse(`${name} --help`.trim()));
    expect(parse(`help ${name}`.trim())).toMatchObject({ kind: 'text' });
  });

  it('of a command that there is not is refused as the command is', () => {
    expect(refused('help nosuch')).toBe("unknown command 'nosuch' | See `kubectl maas --help`.");
    expect(refused('help lst')).toBe("unknown command 'lst'\n(Did you mean list?) | See `kubectl maas --help`.");
    expect(refused('help add remove')).toContain("too many arguments for 'help'");
  });
});

describe('the exit codes', () => {
  it('are one for each meaning, and every error has one', () => {
    const listed = exitCodeMeanings.map(([code]) => code);
    expect(listed).toEqual(Object.values(exitCodes));
    for (const code of Object.keys(errorCatalogue)) {
      expect(listed).toContain(exitCodeOf(code as keyof typeof errorCatalogue));
    }
    expect(exitCodeOf('MODEL_NOT_FOUND')).toBe(3);
    expect(exitCodeOf('CONFLICT')).toBe(1);
  });
});
