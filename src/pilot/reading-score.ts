/** Whether what a volunteer typed is what was written: spelling that means the same counts as the same. */

/** A word is compared letter by letter; of a formula, what it says. */
export type ItemKind = 'word' | 'formula';

/**
 * True if the answer says what was written. Case, `ё` and `е`, spaces and the kind of dash or quotation mark never
 * matter; of formulas neither does their spelling (`x²`, `x^2`, `x**2`, `x^{2}`; `2·x`, `2x`; `3,14`, `3.14`) nor
 * whether a letter was typed on a Russian or an English keyboard.
 */
export function isReadRight(answer: string, truth: string, kind: ItemKind): boolean {
  return normalise(answer, kind) === normalise(truth, kind);
}

/** One spelling for all that mean the same. */
export function normalise(text: string, kind: ItemKind): string {
  const plain = spellOutRaised(text)
    .replaceAll('∆', 'Δ')
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll('ё', 'е')
    .replace(/[‐‑‒–—―−]/g, '-')
    .replace(/[«»„“”‟"]/g, '"')
    .replace(/[‘’‚`´'′]/g, "'")
    .replace(/\s+/g, '');
  return kind === 'word' ? plain.replace(/^[.,;:!?"'()]+|[.,;:!?"'()]+$/g, '') : normaliseFormula(plain);
}

const RAISED = '⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱ';
const RAISED_PLAIN = '0123456789+-=()ni';
const LOWERED = '₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎';
const LOWERED_PLAIN = '0123456789+-=()';

/** `x²` as `x^(2)`: compatibility normalisation alone would make it `x2`. */
function spellOutRaised(text: string): string {
  const spell = (run: string, mark: string, from: string, to: string): string =>
    `${mark}(${[...run].map((sign) => to[from.indexOf(sign)] ?? sign).join('')})`;
  return text
    .replace(new RegExp(`[${RAISED}]+`, 'gu'), (run) => spell(run, '^', RAISED, RAISED_PLAIN))
    .replace(new RegExp(`[${LOWERED}]+`, 'gu'), (run) => spell(run, '_', LOWERED, LOWERED_PLAIN));
}

/** Signs and commands, and how they are typed. */
const SIGNS: readonly (readonly [RegExp, string])[] = [
  [/\\(?:cdot|times)|[×·⋅∙•∗]/g, '*'],
  [/\\div|[÷∶⁄]/g, '/'],
  [/\\leq?(?![a-z])|[≤⩽]|=</g, '<='],
  [/\\geq?(?![a-z])|[≥⩾]|=>/g, '>='],
  [/\\neq?(?![a-z])|≠|<>|\/=/g, '!='],
  [/\\approx|≈|~=/g, '~'],
  [/\\pm|±|\+\/-/g, '+-'],
  [/\\infty|∞/g, 'inf'],
  [/\\int|∫/g, 'int'],
  [/\\sum|∑/g, 'sum'],
  [/\\sqrt|√|корень/g, 'sqrt'],
  [/→|\\to(?![a-z])/g, '->'],
  [/\\frac\{([^{}]*)\}\{([^{}]*)\}/g, '($1)/($2)'],
  [/\*\*/g, '^'],
  [/\\left|\\right|\\[,;! ]|\$/g, ''],
  [/\\([a-z]+)/g, '$1'],
  [/[{[]/g, '('],
  [/[}\]]/g, ')'],
];

const GREEK: Readonly<Record<string, string>> = {
  ...{ α: 'alpha', β: 'beta', γ: 'gamma', δ: 'delta', ε: 'epsilon', ζ: 'zeta', η: 'eta', θ: 'theta' },
  ...{
    ι: 'iota',
    κ: 'kappa',
    λ: 'lambda',
    μ: 'mu',
    ν: 'nu',
    ξ: 'xi',
    π: 'pi',
    ρ: 'rho',
    σ: 'sigma',
    τ: 'tau',
  },
  ...{ υ: 'upsilon', φ: 'phi', χ: 'chi', ψ: 'psi', ω: 'omega' },
};

const CYRILLIC_TWINS = 'авекмнорстух';
const LATIN_TWINS = 'abekmhopctyx';

function normaliseFormula(text: string): string {
  let formula = text;
  for (const [sign, typed] of SIGNS) formula = formula.replace(sign, typed);
  formula = formula
    .replace(/[α-ω]/g, (letter) => GREEK[letter] ?? letter)
    .replace(
      new RegExp(`[${CYRILLIC_TWINS}]`, 'g'),
      (twin) => LATIN_TWINS[CYRILLIC_TWINS.indexOf(twin)] ?? twin,
    )
    .replace(/(?<=\d),(?=\d)/g, '.');
  // Brackets around one number or one name say nothing.
  formula = formula.replace(/\((\d+(?:\.\d+)?|[\p{L}]+)\)/gu, '$1');
  // A product may be written without its sign, except between two numbers.
  formula = formula.replace(/(?<=[\p{L}\d)])\*(?=[\p{L}(])|(?<=[\p{L})])\*(?=\d)/gu, '');
  return formula.replace(/[.,;]+$/, '');
}
