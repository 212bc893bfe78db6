import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nodeLabelProblem, nodeSelectorTerms, parseNodeLabels } from './node-label-expression.ts';

/** `a !b, c`: the terms in short. */
function terms(expression: string): string {
  const parsed = parseNodeLabels(expression);
  if (!parsed.ok) return `refused: ${parsed.problem}`;
  return parsed.terms
    .map((term) => term.map(({ label, present }) => `${present ? '' : '!'}${label}`).join(' '))
    .join(', ');
}

describe('a node label expression', () => {
  it.each([
    ['gpu', 'gpu'],
    ['  gpu  ', 'gpu'],
    ['!gpu', '!gpu'],
    ['! ! gpu', 'gpu'],
    ['gpu && large', 'gpu large'],
    ['gpu&&large', 'gpu large'],
    ['gpu || fpga', 'gpu, fpga'],
    ['gpu || fpga && large', 'gpu, fpga large'],
    ['(gpu || fpga) && large', 'gpu large, fpga large'],
    ['!(gpu || fpga)', '!gpu !fpga'],
    ['!(gpu && !fpga)', '!gpu, fpga'],
    ['(A && B) || !C', 'A B, !C'],
    ['((gpu))', 'gpu'],
    ['gpu && gpu', 'gpu'],
    ['gpu || gpu', 'gpu'],
    ['gpu || gpu && large', 'gpu'],
    ['gpu && large || gpu', 'gpu'],
    ['gpu && (large || !gpu)', 'gpu large'],
    ['rack_1 && ssd-2', 'rack_1 ssd-2'],
  ])('%s', (expression, wanted) => {
    expect(terms(expression)).toBe(wanted);
  });

  it.each([
    ['', 'it is empty'],
    ['   ', 'it is empty'],
    ['gpu &&', 'a label is missing at its end'],
    ['&& gpu', 'a label is missing before &&'],
    ['gpu || || large', 'a label is missing before ||'],
    ['()', 'a label is missing before )'],
    ['(gpu', 'a parenthesis is not closed'],
    ['gpu)', 'a closing parenthesis has no opening one'],
    ['gpu large', 'large follows without && or ||'],
    ['gpu !large', '! follows without && or ||'],
    ['gpu & large', 'write && instead of &'],
    ['gpu | large', 'write || instead of |'],
    ['gpu &&& large', 'write && instead of &'],
    ['*', '* stands for all labels of a queue, which says nothing about a node'],
    ['gpu,large', '"gpu,large" cannot be a label of a node here'],
    ['zone=east', '"zone=east" cannot be a label of a node here'],
    ['gpu_', '"gpu_" cannot be a label of a node here'],
    ['-gpu', '"-gpu" cannot be a label of a node here'],
    ['g\u001b[2J', String.raw`"g\u001b[2J" cannot be a label of a node here`],
    ['x'.repeat(64), `"${'x'.repeat(64)}" cannot be a label of a node here`],
    ['x || '.repeat(300), 'it is longer than 1024 characters'],
    ['gpu && !gpu', 'no node can have and lack the same label'],
    [
      Array.from({ length: 7 }, (_, n) => `(a${n} || b${n})`).join(' && '),
      'it has more than 64 alternatives when written out',
    ],
  ])('refused: %j', (expression, problem) => {
    expect(nodeLabelProblem(expression)).toBe(problem);
  });

  it('becomes requirements of node labels, whatever their value', () => {
    const parsed = parseNodeLabels('gpu && !spot || fpga');
    if (!parsed.ok) throw new Error(parsed.problem);
    expect(nodeSelectorTerms(parsed.terms, 'node-label.maas.dev/')).toEqual([
      {
        matchExpressions: [
          { key: 'node-label.maas.dev/gpu', operator: 'Exists' },
          { key: 'node-label.maas.dev/spot', operator: 'DoesNotExist' },
        ],
      },
      { matchExpressions: [{ key: 'node-label.maas.dev/fpga', operator: 'Exists' }] },
    ]);
  });
});

type Tree =
  | { readonly kind: 'label'; readonly label: string }
  | { readonly kind: 'not'; readonly of: Tree }
  | { readonly kind: 'and' | 'or'; readonly left: Tree; readonly right: Tree };

const labels = ['a', 'b', 'c', 'd'];
const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom(...labels).map((label): Tree => ({ kind: 'label', label })),
    tie('tree').map((of): Tree => ({ kind: 'not', of })),
    fc
      .tuple(fc.constantFrom('and' as const, 'or' as const), tie('tree'), tie('tree'))
      .map(([kind, left, right]): Tree => ({ kind, left, right })),
  ),
}));

const binding = { or: 0, and: 1, not: 2, label: 3 };

/** With only the parentheses that are needed, so that the order of binding is tested as well. */
function written(node: Tree, within = 0): string {
  const own = binding[node.kind];
  const text =
    node.kind === 'label'
      ? node.label
      : node.kind === 'not'
        ? `!${written(node.of, own)}`
        : `${written(node.left, own)} ${node.kind === 'and' ? '&&' : '||'} ${written(node.right, own)}`;
  return own < within ? `(${text})` : text;
}

function holds(node: Tree, having: ReadonlySet<string>): boolean {
  switch (node.kind) {
    case 'label':
      return having.has(node.label);
    case 'not':
      return !holds(node.of, having);
    case 'and':
      return holds(node.left, having) && holds(node.right, having);
    case 'or':
      return holds(node.left, having) || holds(node.right, having);
  }
}

describe('the translation', () => {
  it('is true of exactly the nodes that the expression is true of', () => {
    const nodes = Array.from({ length: 2 ** labels.length }, (_, bits) => {
      return new Set(labels.filter((_label, index) => (bits >> index) & 1));
    });
    fc.assert(
      fc.property(tree, (expression) => {
        const parsed = parseNodeLabels(written(expression));
        const wanted = nodes.map((node) => holds(expression, node));
        if (!parsed.ok) {
          expect(parsed.problem).toBe('no node can have and lack the same label');
          expect(wanted).not.toContain(true);
          return;
        }
        const found = nodes.map((node) =>
          parsed.terms.some((term) => term.every(({ label, present }) => node.has(label) === present)),
        );
        expect(found).toEqual(wanted);
        expect(parsed.terms.every((term) => term.length > 0)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('never fails otherwise than by refusing', () => {
    const pieces = fc.constantFrom('a', 'b', '&&', '||', '!', '(', ')', ' ', '&', '|', '*', '-', '\n', 'ü');
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 40 }), (parts) => {
        const parsed = parseNodeLabels(parts.join(''));
        expect(parsed.ok ? parsed.terms.length > 0 : parsed.problem !== '').toBe(true);
      }),
    );
  });
});
