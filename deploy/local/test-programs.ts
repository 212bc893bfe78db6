/** Programs that tests run beside the world: certificates, a terminal, a Python with packages of its own. */
import { needPrograms } from './debian-packages.ts';

export async function needTestPrograms(): Promise<void> {
  await needPrograms({ openssl: 'openssl', script: 'bsdutils', virtualenv: 'virtualenv' });
}
