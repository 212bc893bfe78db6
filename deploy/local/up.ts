/** `make up`: everything that tests and the demo run on. Done again, it mends what is missing and leaves the rest. */

import { bringUp } from './bring-up.ts';
import { program } from './steps.ts';

await program(bringUp);
