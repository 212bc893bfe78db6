/**
 * YARN's node label expressions (`gpu`, `gpu && !spot`, `(gpu || fpga) && large`) as node affinity. A label of YARN is a
 * bare name that a node either has or lacks; here it is a label of the node with a configured prefix, whatever its value.
 *
 * Node affinity is a list of terms of which one must hold, each a list of requirements that must all hold: a
 * disjunctive normal form. What cannot be written so, or cannot be meant, is refused with a reason.
 */

/** A node has the label, or lacks it. */
export interface LabelRequirement {
  readonly label: string;
  readonly present: boolean;
}

/** All of its requirements hold. */
export type LabelTerm = readonly LabelRequirement[];

export type NodeLabels =
  /** One of the terms holds; never empty, nor is any term. */
  { readonly ok: true; readonly terms: readonly LabelTerm[] } | { readonly ok: false; readonly problem: string };

/** As they stand in `nodeAffinity.required...nodeSelectorTerms`. */
export interface NodeSelectorTerm {
  readonly matchExpressions: readonly { readonly key: string; readonly operator: 'Exists' | 'DoesNotExist' }[];
}

const longestExpression = 1_024;
/** A pod is compared with every term on every node; more than these are a mistake. */
const mostTerms = 64;
/** YARN's own rule for names; Kubernetes wants a letter or digit at the end too, and no more than 63 characters. */
const name = /^[A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?$/;

/**
 * @param expression names joined by `&&`, `||`, `!` and parentheses; `!` binds closest, then `&&`
 * @returns the terms, in the order of the expression, without those that contradict themselves or follow from others
 */
export function parseNodeLabels(expression: string): NodeLabels {
  try {
    if (expression.length > longestExpression) throw new Refusal(`it is longer than ${longestExpression} characters`);
    const terms = new Reader(tokensOf(expression)).whole();
    return terms.length === 0 ? refused('no node can have and lack the same label') : { ok: true, terms };
  } catch (error) {
    if (error instanceof Refusal) return refused(error.message);
    throw error;
  }
}

/** Why this expression cannot be used; undefined where it can. */
export function nodeLabelProblem(expression: string): string | undefined {
  const parsed = parseNodeLabels(expression);
  return parsed.ok ? undefined : parsed.problem;
}

/** @param prefix of the nodes' labels, `node-label.maas.dev/` for example */
export function nodeSelectorTerms(terms: readonly LabelTerm[], prefix: string): NodeSelectorTerm[] {
  return terms.map((term) => ({
    matchExpressions: term.map(({ label, present }) => ({
      key: `${prefix}${label}`,
      operator: present ? 'Exists' : 'DoesNotExist',
    })),
  }));
}

function refused(problem: string): NodeLabels {
  return { ok: false, problem };
}

class Refusal extends Error {}

type Token = '&&' | '||' | '!' | '(' | ')' | { readonly label: string };

function tokensOf(expression: string): Token[] {
  const tokens: Token[] = [];
  for (const [text] of expression.matchAll(/&&|\|\||[!()]|[^\s&|!()]+|[&|]/g)) {
    if (text === '&&' || text === '||' || text === '!' || text === '(' || text === ')') tokens.push(text);
    else if (text === '&' || text === '|') throw new Refusal(`write ${text}${text} instead of ${text}`);
    else if (text === '*') throw new Refusal('* stands for all labels of a queue, which says nothing about a node');
    else if (name.test(text)) tokens.push({ label: text });
    else throw new Refusal(`${JSON.stringify(text)} cannot be a label of a node here`);
  }
  return tokens;
}

/** Reads by recursive descent, straight to terms; a negation is carried down to the labels on the way. */
class Reader {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  whole(): LabelTerm[] {
    if (this.#tokens.length === 0) throw new Refusal('it is empty');
    const terms = this.#any(false);
    const rest = this.#tokens[this.#at];
    if (rest === ')') throw new Refusal('a closing parenthesis has no opening one');
    if (rest !== undefined) throw new Refusal(`${shown(rest)} follows without && or ||`);
    return terms;
  }

  #any(negated: boolean): LabelTerm[] {
    let terms = this.#all(negated);
    while (this.#take('||')) terms = (negated ? both : either)(terms, this.#all(negated));
    return terms;
  }

  #all(negated: boolean): LabelTerm[] {
    let terms = this.#one(negated);
    while (this.#take('&&')) terms = (negated ? either : both)(terms, this.#one(negated));
    return terms;
  }

  #one(negated: boolean): LabelTerm[] {
    const token = this.#tokens[this.#at];
    this.#at += 1;
    if (token === '!') return this.#one(!negated);
    if (token === '(') {
      const terms = this.#any(negated);
      if (!this.#take(')')) throw new Refusal('a parenthesis is not closed');
      return terms;
    }
    if (typeof token === 'object') return [[{ label: token.label, present: !negated }]];
    throw new Refusal(token === undefined ? 'a label is missing at its end' : `a label is missing before ${token}`);
  }

  #take(token: Token): boolean {
    if (this.#tokens[this.#at] !== token) return false;
    this.#at += 1;
    return true;
  }
}

function shown(token: Token): string {
  return typeof token === 'object' ? token.label : token;
}

function either(some: readonly LabelTerm[], others: readonly LabelTerm[]): LabelTerm[] {
  return simplified([...some, ...others]);
}

function both(some: readonly LabelTerm[], others: readonly LabelTerm[]): LabelTerm[] {
  return simplified(some.flatMap((one) => others.map((other) => [...one, ...other])));
}

/** Without repetitions, without terms that no node satisfies, and without terms that say more than another one. */
function simplified(terms: readonly LabelTerm[]): LabelTerm[] {
  const possible = terms
    .map((term) => term.filter((one, index) => term.findIndex((other) => same(one, other)) === index))
    .filter((term) => !term.some((one) => term.some((other) => one.label === other.label && !same(one, other))));
  const needed = possible.filter(
    (term, index) =>
      !possible.some((other, at) => at !== index && implies(term, other) && (at < index || !implies(other, term))),
  );
  if (needed.length > mostTerms) throw new Refusal(`it has more than ${mostTerms} alternatives when written out`);
  return needed;
}

/** Does every node that satisfies the one satisfy the other? */
function implies(term: LabelTerm, other: LabelTerm): boolean {
  return other.every((wanted) => term.some((given) => same(given, wanted)));
}

function same(one: LabelRequirement, other: LabelRequirement): boolean {
  return one.label === other.label && one.present === other.present;
}
