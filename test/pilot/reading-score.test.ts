/** Which answers count as read. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ItemKind, isReadRight } from '../../src/pilot/reading-score.ts';

function check(kind: ItemKind, pairs: readonly (readonly [string, string])[], expected: boolean): void {
  for (const [answer, truth] of pairs) {
    assert.equal(isReadRight(answer, truth, kind), expected, `"${answer}" for "${truth}"`);
  }
}

test('case, ё, spaces, dashes and marks at the ends do not matter in words', () => {
  const same = [
    ['Матрица', 'матрица'],
    ['ещё', 'ЕЩЕ'],
    [' по этому ', 'поэтому'],
    ['по-русски', 'по–русски'],
    ['«вектор»,', 'вектор'],
    ['field.', 'Field'],
  ] as const;
  check('word', same, true);
});

test('a letter more, less or another one is not read', () => {
  const wrong = [
    ['матрицы', 'матрица'],
    ['вектр', 'вектор'],
    ['', 'вектор'],
    ['c', 'с'],
    ['feld', 'field'],
  ] as const;
  check('word', wrong, false);
});

test('of a formula it matters what it says', () => {
  const same = [
    ['x^2 + 1', 'x²+1'],
    ['x**2+1', 'x^{2}+1'],
    ['2*x', '2x'],
    ['2·x·y', '2xy'],
    ['3,14', '3.14'],
    ['a_1', 'a₁'],
    ['x^(10)', 'x¹⁰'],
    ['корень(x)', '√x'],
    ['\\sqrt{x}', '√x'],
    ['a<=b', 'a ≤ b'],
    ['\\frac{a}{b}', 'a/b'],
    ['пи', 'пи'],
    ['2π', '2pi'],
    ['х+у', 'x+y'],
    ['F=МА', 'F = MA'],
    ['a−b', 'a-b'],
    ['1/2', '½'],
    ["f'(x)", 'f′(x)'],
    ["f''", 'f″'],
    ['a*b', 'a∗b'],
    ['kappa', 'κ'],
    ['delta x', '∆x'],
    ['sin x', 'sin(x)'],
  ] as const;
  check('formula', same, true);
});

test('another formula is not the same', () => {
  const wrong = [
    ['x2', 'x²'],
    ['x^3', 'x²'],
    ['23', '2·3'],
    ['a-b', 'a+b'],
    ['(a+b)/c', 'a+b/c'],
    ['a_1', 'a^1'],
    ['3.14', '314'],
  ] as const;
  check('formula', wrong, false);
});
