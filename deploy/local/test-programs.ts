/** Programs that tests run beside the world: one makes certificates, the other a terminal. */
import { needPrograms } from './debian-packages.ts';

export async function needTestPrograms(): Promise<void> {
  await needPrograms({ openssl: 'openssl', script: 'bsdutils' });
}
