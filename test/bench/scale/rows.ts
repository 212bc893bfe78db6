/** What the bench of many prints of its figures. */
import { shownSpread } from '../figures.ts';
import type { Figures, Phase, Rest } from './measure.ts';

/** Rows of a table with a column for each size; what was not measured is left out. */
export function rows(measured: readonly Figures[]): string[][] {
  const row = (what: string, of: (figures: Figures) => string | undefined) => [
    what,
    ...measured.map((each) => of(each) ?? ''),
  ];
  const one = (value: number, unit = '') => `${value.toFixed(1)}${unit}`;
  const resting = (name: string, of: (figures: Figures) => Rest | undefined): string[][] => {
    const at = (what: string, show: (rest: Rest) => string) =>
      row(`${what}, ${name}`, (figures) => {
        const found = of(figures);
        return found && show(found);
      });
    return [
      at('processor at rest', ({ processor }) => `${processor.toFixed(2)} %`),
      at('passes a minute', ({ passesAMinute }) => one(passesAMinute)),
      at('calls to HDFS a minute', ({ hdfsCallsAMinute }) => one(hdfsCallsAMinute)),
      at('writes to Kubernetes a minute', ({ writesAMinute }) => one(writesAMinute)),
      at('transactions of ZooKeeper a minute', ({ transactionsAMinute }) => one(transactionsAMinute)),
      at('memory', ({ memory }) => one(memory, ' MiB')),
    ];
  };
  const during = (name: string, of: (figures: Figures) => Phase | undefined): string[][] => {
    const at = (what: string, show: (phase: Phase) => string) =>
      row(`${what}, ${name}`, (figures) => {
        const found = of(figures);
        return found && show(found);
      });
    return [
      at('asked for within', ({ asked }) => one(asked, ' s')),
      at('settled after that', ({ settled }) => one(settled, ' s')),
      at('processor a resource', ({ processor }) => one(processor, ' ms')),
      at('passes a resource', ({ passes }) => one(passes)),
      at('writes a resource', ({ writes }) => one(writes)),
      at('calls to HDFS', ({ hdfsCalls }) => String(hdfsCalls)),
      at('one change', ({ change }) => shownSpread(change, 0, ' ms')),
    ];
  };
  const all = [
    row('memory before', ({ baseMemory }) => one(baseMemory, ' MiB')),
    ...during('no instances', ({ empty }) => empty),
    ...resting('no instances', ({ empty }) => empty.rest),
    row('registrations', ({ serving }) => serving && String(serving.registrations)),
    ...during('serving', ({ serving }) => serving),
    row('in step after a restart', ({ serving }) => serving && one(serving.inStep, ' s')),
    row('processor until then', ({ serving }) => serving && one(serving.restartProcessor, ' s')),
    ...resting('serving, after a restart', ({ serving }) => serving?.rest),
    row('`list -A`', ({ serving }) => serving && shownSpread(serving.list, 2, ' s')),
    row('`status`', ({ serving }) => serving && shownSpread(serving.status, 2, ' s')),
  ];
  return all.filter(([, ...cells]) => cells.some((cell) => cell !== ''));
}
