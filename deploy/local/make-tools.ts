/** `make tools`: the command-line tools, without anything that runs. */
import { buildTools } from './bring-up.ts';
import { program } from './steps.ts';

await program(async () => {
  await buildTools();
});
