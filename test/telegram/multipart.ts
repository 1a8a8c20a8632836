/** Reads request bodies as Telegram's server does: JSON, query strings, and multipart with its own rules. */

export interface SentFile {
  readonly name: string;
  readonly bytes: Buffer;
}

export interface Sent {
  /** Text of each parameter; from JSON bodies, values as they were. */
  readonly parameters: Map<string, unknown>;
  /** Files by the name of their part. */
  readonly files: Map<string, SentFile>;
}

/** @throws Error in words for a test, where Telegram would answer 400 */
export function readBody(contentType: string, body: Buffer, query: URLSearchParams): Sent {
  const sent: Sent = { parameters: new Map(query), files: new Map() };
  if (body.length === 0) return sent;
  if (contentType.startsWith('application/json')) {
    for (const [name, value] of Object.entries(JSON.parse(body.toString('utf8')) as object)) {
      sent.parameters.set(name, value);
    }
    return sent;
  }
  if (contentType.startsWith('application/x-www-form-urlencoded')) {
    for (const [name, value] of new URLSearchParams(body.toString('utf8'))) sent.parameters.set(name, value);
    return sent;
  }
  const boundary = /boundary=("?)([^";]+)\1/.exec(contentType)?.[2];
  if (!contentType.startsWith('multipart/form-data') || boundary === undefined) {
    throw new Error(`a body of type "${contentType}"`);
  }
  readParts(body, boundary, sent);
  return sent;
}

/**
 * As `HttpReader::parse_multipart_form_data` of TDLib: parameters of a header are split at `;` without regard to
 * quotes, quotes around a value are taken off, and a part with a `filename` is a file.
 */
function readParts(body: Buffer, boundary: string, { parameters, files }: Sent): void {
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  let at = body.indexOf(delimiter.subarray(2)) + delimiter.length - 2;
  if (at < delimiter.length - 2) throw new Error('the boundary is nowhere in the body');
  while (body.subarray(at, at + 2).toString() !== '--') {
    const headersEnd = body.indexOf('\r\n\r\n', at);
    const end = body.indexOf(delimiter, headersEnd);
    if (headersEnd < 0 || end < 0) throw new Error('a part has no end');
    const headers = body.subarray(at + 2, headersEnd).toString('utf8');
    const content = body.subarray(headersEnd + 4, end);
    const disposition = /^content-disposition:\s*form-data;(.*)$/im.exec(headers)?.[1];
    if (disposition === undefined) throw new Error(`a part without a name: ${headers}`);
    const fields = new Map(
      disposition.split(';').map((field): [string, string] => {
        const [name = '', ...value] = field.trim().split('=');
        return [name.toLowerCase(), value.join('=').replace(/^"(.*)"$/, '$1')];
      }),
    );
    const name = fields.get('name') ?? '';
    const fileName = fields.get('filename');
    if (fileName === undefined) parameters.set(name, content.toString('utf8'));
    else files.set(name, { name: fileName, bytes: Buffer.from(content) });
    at = end + delimiter.length;
  }
}
