/**
 * In which of the namespaces that are to be served can work be done? The chart's Role goes with its namespace, and one
 * that is made anew has none. What is known of it then is old: no plan is made from it, and nothing is taken away. The
 * others are served on; and when the Role is back, so is the namespace.
 */
import type { Concern } from '../contracts/concern.ts';
import { asMaasError } from '../contracts/errors.ts';

/** A watch in one namespace, or in all. */
type State = 'unlisted' | 'following' | { readonly refused: string };

interface Scope {
  readonly watches: Map<string, State>;
  /** Why something could not be written. */
  write?: string;
}

export class ServedNamespaces {
  readonly #all: boolean;
  readonly #scopes = new Map<string, Scope>();
  readonly #hint: string;
  readonly #tell: (concerns: readonly Concern[]) => void;
  readonly #opened: (namespace: string | undefined) => void;

  /**
   * @param options.namespaces to be served; empty means all
   * @param options.kinds of the watches that a plan needs
   * @param options.operatorNamespace where the release is, for advice
   * @param options.tell is given all concerns, when they have changed
   * @param options.opened work can be done in this namespace now, or in all when undefined
   */
  constructor(options: {
    namespaces: readonly string[];
    kinds: readonly string[];
    operatorNamespace: string;
    tell: (concerns: readonly Concern[]) => void;
    opened: (namespace: string | undefined) => void;
  }) {
    this.#all = options.namespaces.length === 0;
    this.#hint = `helm upgrade RELEASE CHART -n ${options.operatorNamespace} --reuse-values`;
    this.#tell = options.tell;
    this.#opened = options.opened;
    for (const namespace of this.#all ? ['*'] : options.namespaces) {
      this.#scopes.set(namespace, { watches: new Map(options.kinds.map((kind) => [kind, 'unlisted'])) });
    }
  }

  /** @param refusal undefined where the watch follows */
  watched(kind: string, namespace: string | undefined, refusal: unknown): void {
    const scope = this.#scopes.get(namespace ?? '*');
    if (scope === undefined) return;
    const open = this.inStep(namespace ?? '*');
    scope.watches.set(kind, refusal === undefined ? 'following' : { refused: asMaasError(refusal).message });
    this.#report();
    if (!open && this.inStep(namespace ?? '*')) this.#opened(namespace);
  }

  /** @param refusal why a write was forbidden; undefined where all writes of a pass were done */
  written(namespace: string, refusal: unknown): void {
    const scope = this.#scopes.get(this.#all ? '*' : namespace);
    if (scope === undefined || (refusal === undefined && scope.write === undefined)) return;
    if (refusal === undefined) delete scope.write;
    else scope.write = asMaasError(refusal).message;
    this.#report();
  }

  /** Is all that a plan needs known of this namespace, and up to date? */
  inStep(namespace: string): boolean {
    const scope = this.#scopes.get(this.#all ? '*' : namespace);
    return scope !== undefined && [...scope.watches.values()].every((state) => state === 'following');
  }

  allInStep(): boolean {
    return [...this.#scopes.keys()].every((namespace) => this.inStep(namespace));
  }

  #report(): void {
    this.#tell(
      [...this.#scopes].flatMap(([namespace, { watches, write }]): Concern[] => {
        const refused = [...watches.values()].flatMap((state) => (typeof state === 'string' ? [] : [state.refused]));
        const [why] = write === undefined ? refused : [...refused, write];
        if (why === undefined) return [];
        const where = namespace === '*' ? 'any namespace' : `namespace ${namespace}`;
        return [
          {
            reason: 'NamespaceRefused',
            subject: namespace === '*' ? 'all namespaces' : `namespace ${namespace}`,
            namespaces: [namespace],
            message: `the operator may not look after the models of ${where}: ${why}; what runs there goes on, what is said of it is old`,
            next: `The Role goes with its namespace: make it again with \`${this.#hint}\`, or take the namespace out of \`namespaces\`.`,
          },
        ];
      }),
    );
  }
}
