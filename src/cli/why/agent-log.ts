/** A line of an agent's log for people: it is JSON, of which the time, the words and what belongs to them are shown. Pure. */
import { isRecord } from '../cluster/api-object.ts';
import type { ApiObject } from '../ports.ts';

/** A line that is no JSON stays as it is. */
export function agentLine(line: string): string {
  const entry = parsed(line);
  const message = entry?.['msg'];
  if (entry === undefined || typeof message !== 'string') return line;
  const { time, level, name: _, msg: __, ...rest } = entry;
  const at = typeof time === 'string' ? `${time.replace(/^.*T|\.\d+/g, '')} ` : '';
  const grave = level === 'info' || typeof level !== 'string' ? '' : `${level}: `;
  const fields = Object.entries(rest).map(([key, value]) => `${key}=${shown(value)}`);
  return `${at}${grave}${[message, ...fields].join(' ')}`;
}

function parsed(line: string): ApiObject | undefined {
  try {
    const json: unknown = JSON.parse(line);
    return isRecord(json) ? json : undefined;
  } catch {
    return undefined;
  }
}

/** Of an error or a problem its words tell; the stack does not. */
function shown(value: unknown): string {
  if (isRecord(value) && typeof value['message'] === 'string') {
    const code = value['code'];
    return JSON.stringify(typeof code === 'string' ? `${code}: ${value['message']}` : value['message']);
  }
  return typeof value === 'string' && /^[\w./:@-]+$/.test(value) ? value : JSON.stringify(value);
}
