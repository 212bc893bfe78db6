/**
 * `agent.cjs [PORT]`: the agent. On this port it listens before it loads the rest of itself, which takes twice as long as
 * all that comes before: a probe that finds nobody listening comes again only after its period.
 */
import { AgentServer } from '../agent/http-server.ts';
import { systemClock } from '../kernel/system-clock.ts';

const server = new AgentServer(systemClock);
const port = Number(process.argv[2]);
// Where it cannot be, the agent tries again and tells.
if (port > 0) server.listen([port]).catch(() => undefined);
void import('./run-agent.ts').then(({ runAgent }) => runAgent(server));
