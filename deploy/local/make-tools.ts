/** `make tools`: the command-line tools, without anything that runs. */
import { findTools } from './bring-up.ts';
import { program, step } from './steps.ts';
import { needTestPrograms } from './test-programs.ts';

await program(async () => {
  await step('Programs of the tests', needTestPrograms);
  await findTools();
});
