/** `kubectl maas why`: the story of a model that is not served, or that it is. */
import { namedModel } from '../cluster/named-model.ts';
import { defineCommand } from '../define-command.ts';
import { exitCodes } from '../exit-codes.ts';
import { everywhere, theModel } from '../options/shared-options.ts';
import { lookOf } from '../ports.ts';
import { printStory } from '../why/print-story.ts';
import { readFacts } from '../why/read-facts.ts';
import { storyOf } from '../why/story.ts';
import { storyFields } from '../why/story-shape.ts';

export const why = defineCommand({
  name: 'why',
  summary: 'Tells why a model is not served, or that it is.',
  description:
    'Tells the story of a model, the worst instance first: which steps each has taken and how long they took, what it ' +
    'waits for, the last lines of the script and of the agent, the words of scheduler, kubelet and HDFS, and what to do ' +
    'next. Of a model that is served it tells since when, and what clients see.',
  fields: { ...theModel, ...everywhere },
  examples: [
    ['Why is it not up?', 'why dga-1.0'],
    ['The command to run next', 'why dga-1.0 -o json | jq -r .next.command'],
  ],
  notes: [
    'What you may not read is named, and the rest is told. The steps from the payload on are told by the agent in the ' +
      'pod, which is asked through the API server; for that you need the permission to get pods/proxy.',
  ],
  shape: {
    says: '`why -o json` prints `{"kind": "ModelStory", "apiVersion": "cli.maas.dev/v1", ...}`:',
    fields: storyFields,
  },
  /** @throws MaasError MODEL_NOT_FOUND, MODEL_AMBIGUOUS, CLUSTER_* */
  async run(options, ports) {
    const cluster = ports.connect(options.cluster);
    const model = await namedModel(cluster, options.namespace ?? cluster.namespace, options.name);
    const facts = await readFacts(model, options, ports, cluster);
    ports.out.write(printStory(storyOf(facts), options.output, { ...lookOf(ports.out), now: facts.now }));
    return exitCodes.ok;
  },
});
