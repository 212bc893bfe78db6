/** The commands of `kubectl maas`, in the order of the help. */
import { add } from './commands/add.ts';
import { call } from './commands/call.ts';
import { doctor } from './commands/doctor.ts';
import { history } from './commands/history.ts';
import { importModels } from './commands/import.ts';
import { list } from './commands/list.ts';
import { logs } from './commands/logs.ts';
import { mode } from './commands/mode.ts';
import { pause } from './commands/pause.ts';
import { payload } from './commands/payload.ts';
import { remove } from './commands/remove.ts';
import { restart } from './commands/restart.ts';
import { resume } from './commands/resume.ts';
import { status } from './commands/status.ts';
import { undo } from './commands/undo.ts';
import { version } from './commands/version.ts';
import { watch } from './commands/watch.ts';
import { why } from './commands/why.ts';
import type { Command } from './define-command.ts';

export const commands: readonly Command[] = [
  add,
  remove,
  list,
  status,
  call,
  why,
  logs,
  watch,
  restart,
  pause,
  resume,
  payload,
  history,
  undo,
  importModels,
  doctor,
  mode,
  version,
];
