/** Checks every request against the parameters that `@grammyjs/types` names for its method: the Bot API, machine-readable. */
import { fileURLToPath } from 'node:url';
import { Project, ts } from 'ts-morph';

/** Stands for a file in checked values. */
export interface FileMark {
  readonly __file: string;
}

/** What of one method's parameters is wrong; empty: nothing. */
export type MethodCheck = (method: string, parameters: Readonly<Record<string, unknown>>) => string[];

/** Reads the types, which takes a second or two. */
export function createMethodCheck(): MethodCheck {
  // Types alone are read: the project's own settings and files play no part.
  const project = new Project({
    compilerOptions: {
      ...{ strict: true, module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ESNext },
      ...{ moduleResolution: ts.ModuleResolutionKind.Bundler, types: [] },
    },
    skipFileDependencyResolution: true,
  });
  const probe = project.createSourceFile(
    fileURLToPath(new URL('probe.ts', import.meta.url)),
    `import type { ApiMethods } from '@grammyjs/types';
     export type Methods = ApiMethods<{ readonly __file: string }>;`,
  );
  const checker = project.getTypeChecker().compilerObject;
  const methods = probe.getTypeAliasOrThrow('Methods').getType().compilerType;

  function parametersOf(method: string): ts.Type | undefined {
    const property = methods.getProperty(method);
    const [signature] = property === undefined ? [] : checker.getTypeOfSymbol(property).getCallSignatures();
    const [parameter] = signature?.getParameters() ?? [];
    return parameter === undefined
      ? undefined
      : checker.getNonNullableType(checker.getTypeOfSymbol(parameter));
  }

  /** Undefined where the value fits the type, else where and why not. */
  function misfit(type: ts.Type, value: unknown, place: string): string | undefined {
    if (type.isUnion()) {
      const misfits = type.types.map((member) => misfit(member, value, place));
      if (misfits.some((found) => found === undefined)) return undefined;
      // The alternative that came furthest is the one that was meant.
      return misfits.filter((found) => found !== undefined).sort((a, b) => b.length - a.length)[0];
    }
    const { flags } = type;
    if (flags & ts.TypeFlags.Undefined) return value === undefined ? undefined : `${place}: not undefined`;
    if (type.isStringLiteral() || type.isNumberLiteral()) {
      return value === type.value ? undefined : `${place}: not ${JSON.stringify(type.value)}`;
    }
    if (flags & ts.TypeFlags.BooleanLiteral) {
      return String(value) === checker.typeToString(type)
        ? undefined
        : `${place}: not ${checker.typeToString(type)}`;
    }
    if (flags & ts.TypeFlags.StringLike)
      return typeof value === 'string' ? undefined : `${place}: not a string`;
    if (flags & ts.TypeFlags.NumberLike) {
      return typeof value === 'number' ? undefined : `${place}: not a number`;
    }
    if (flags & ts.TypeFlags.BooleanLike)
      return typeof value === 'boolean' ? undefined : `${place}: not a boolean`;
    if (checker.isArrayLikeType(type)) {
      if (!Array.isArray(value)) return `${place}: not a list`;
      const element = checker.getIndexTypeOfType(type, ts.IndexKind.Number);
      if (element === undefined) return undefined;
      return value
        .map((entry, at) => misfit(element, entry, `${place}[${at}]`))
        .find((found) => found !== undefined);
    }
    return misfitObject(type, value, place);
  }

  function misfitObject(type: ts.Type, value: unknown, place: string): string | undefined {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return `${place}: not an object`;
    const known = checker.getPropertiesOfType(type);
    const names = new Set(known.map(({ name }) => name));
    const unknown = Object.keys(value).find((name) => !names.has(name));
    if (unknown !== undefined) return `${place}.${unknown}: not known`;
    for (const property of known) {
      const entry = (value as Record<string, unknown>)[property.name];
      const optional = (property.flags & ts.SymbolFlags.Optional) !== 0;
      if (entry === undefined && optional) continue;
      if (entry === undefined) return `${place}.${property.name}: missing`;
      const found = misfit(checker.getTypeOfSymbol(property), entry, `${place}.${property.name}`);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  const cache = new Map<string, ts.Type | undefined>();
  return (method, parameters) => {
    if (!cache.has(method)) cache.set(method, parametersOf(method));
    const type = cache.get(method);
    if (type === undefined) return Object.keys(parameters).map((name) => `${method}.${name}: not known`);
    const found = misfitObject(type, parameters, method);
    return found === undefined ? [] : [found];
  };
}
