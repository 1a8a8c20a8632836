/** What is printed for people: names that may hold anything, and where errors came from. */

/** On one line, whatever is in it: control characters, which a terminal would obey, become \xNN. */
export function visible(text: string): string {
  return text.replace(
    /\p{Cc}/gu,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

/** The stack of an error and of all that caused it, each line visible. */
export function traceOf(error: Error): string {
  const parts: string[] = [];
  // A cause may lead back to where it came from.
  for (let at: unknown = error; at !== undefined && parts.length < 10; ) {
    const text = at instanceof Error ? (at.stack ?? at.message) : String(at);
    parts.push(parts.length === 0 ? text : `caused by: ${text}`);
    at = at instanceof Error ? at.cause : undefined;
  }
  return parts
    .flatMap((part) => part.split('\n'))
    .map(visible)
    .join('\n');
}
