/** The commands of `kubectl maas`, in the order of the help. */
import { add } from './commands/add.ts';
import { doctor } from './commands/doctor.ts';
import { importModels } from './commands/import.ts';
import { list } from './commands/list.ts';
import { mode } from './commands/mode.ts';
import { remove } from './commands/remove.ts';
import { status } from './commands/status.ts';
import { version } from './commands/version.ts';
import type { Command } from './define-command.ts';

export const commands: readonly Command[] = [add, remove, list, status, importModels, doctor, mode, version];
