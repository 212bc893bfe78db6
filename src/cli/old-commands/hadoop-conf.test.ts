import { describe, expect, it } from 'vitest';
import { hdfsOf } from './hadoop-conf.ts';

const xml = (properties: Record<string, string>) =>
  `<?xml version="1.0"?><configuration>${Object.entries(properties)
    .map(([name, value]) => `<property>\n <name> ${name} </name><value>${value}</value><final>true</final></property>`)
    .join('\n')}</configuration>`;

const pair = {
  'dfs.nameservices': 'lake',
  'dfs.ha.namenodes.lake': 'nn1, nn2',
  'dfs.namenode.rpc-address.lake.nn1': 'nn1.example:8020',
  'dfs.namenode.rpc-address.lake.nn2': 'nn2.example:8020',
  'dfs.namenode.http-address.lake.nn1': 'nn1.example:50070',
};

describe("Hadoop's configuration", () => {
  it('of one name node', () => {
    expect(hdfsOf([xml({ 'fs.defaultFS': 'hdfs://nn.example:9000/' })])).toEqual({
      nameservices: { hadoop: { webhdfs: ['http://nn.example:9870'], authorities: ['nn.example:9000'] } },
    });
    const web = { 'fs.default.name': 'hdfs://nn.example', 'dfs.namenode.http-address': '0.0.0.0:50070' };
    expect(hdfsOf([xml(web)])).toEqual({
      nameservices: { hadoop: { webhdfs: ['http://nn.example:50070'], authorities: ['nn.example:8020'] } },
    });
  });

  it('of a pair, over both files', () => {
    expect(hdfsOf([xml({ 'fs.defaultFS': 'hdfs://lake' }), xml(pair)])).toEqual({
      nameservices: {
        lake: {
          webhdfs: ['http://nn1.example:50070', 'http://nn2.example:9870'],
          authorities: ['nn1.example:8020', 'nn2.example:8020'],
        },
      },
    });
  });

  it('with TLS', () => {
    const tls = { ...pair, 'dfs.http.policy': 'HTTPS_ONLY', 'dfs.namenode.https-address.lake.nn2': 'nn2.example:9999' };
    expect(hdfsOf([xml(tls)])?.nameservices['lake']?.webhdfs).toEqual([
      'https://nn1.example:9871',
      'https://nn2.example:9999',
    ]);
  });

  it('of several nameservices, with the one that paths mean', () => {
    const two = {
      ...pair,
      'dfs.nameservices': 'archive,lake',
      'dfs.namenode.rpc-address.archive': 'old.example:8020',
    };
    const found = hdfsOf([xml({ 'fs.defaultFS': 'hdfs://lake' }), xml(two)]);
    expect(found?.defaultNameservice).toBe('lake');
    expect(found?.nameservices['archive']).toEqual({
      webhdfs: ['http://old.example:9870'],
      authorities: ['old.example:8020'],
    });
  });

  it('that names no HDFS gives nothing', () => {
    expect(hdfsOf([])).toBeUndefined();
    expect(hdfsOf([xml({ 'fs.defaultFS': 'file:///' })])).toBeUndefined();
    expect(hdfsOf([xml({ 'fs.defaultFS': `hdfs://\${host}:8020` })])).toBeUndefined();
    expect(hdfsOf(['<property><name>x', '<<<>>>', '\u0000'])).toBeUndefined();
  });

  it('is read without what is commented out, and with its entities', () => {
    const commented = `<!-- <property><name>fs.defaultFS</name><value>hdfs://old</value></property> -->`;
    expect(hdfsOf([commented])).toBeUndefined();
    const entity = '<property><name>fs.defaultFS</name><value>hdfs://a&amp;b</value></property>';
    expect(hdfsOf([entity])?.nameservices['hadoop']?.authorities).toEqual(['a&b:8020']);
  });
});
